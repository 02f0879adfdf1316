"""A daemon that computes nothing: it speaks the protocol, and dies where a test wants it to.

    fake = FakeDaemon(directory)
    fake.die_at = "before the answer to submit"
    ...
    fake.start()         # the next one, at the same socket, with the journal of the one before
    fake.finish(job)     # its output is FILL, its header what the client gave

A job runs until finish() is called. With journal=False the next daemon knows nothing.
"""

import base64
import os
import socket
import threading
import time

from slab.messages import receive_message, send_message

FILL = b"\x07"
BYTES = 6  # of the output, which is (2, 3) of uint8, whatever the job
DEATHS = ("before submit is recorded", "before the answer to submit", "after the answer to submit")


class FakeDaemon:
    def __init__(self, directory, journal=True):
        self.path = os.path.join(str(directory), "fake.sock")
        self.requests = []       # (name, body, inodes of the descriptors), of all daemons
        self.die_at = None       # one of DEATHS
        self._journal = journal
        self._jobs = {}          # id -> record
        self._submissions = {}   # submission -> id
        self._files = {}         # id -> (the output part of submit, its descriptor), of this daemon
        self._watchers = {}      # id -> sockets
        self._lock = threading.RLock()
        self._listener = None
        self.start()

    # -- life

    def start(self):
        if self._listener is not None:
            self.kill()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._peers = []
        self._listener.bind(self.path)
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def kill(self):
        """As SIGKILL: every connection ends, and the socket stays behind until the next start removes it."""
        with self._lock:
            try:
                self._listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # stopped already
            self._listener.close()
            for peer in self._peers:
                try:
                    peer.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            for _, descriptor in self._files.values():
                os.close(descriptor)
            self._files, self._watchers = {}, {}
            if not self._journal:
                self._jobs, self._submissions = {}, {}
            for record in self._jobs.values():
                if record["state"] != "ended":
                    record.update(state="interrupted", age_s=0.0)
            if os.path.exists(self.path):
                os.unlink(self.path)

    def stop(self):
        self.kill()

    # -- what a test asks for

    def named(self, name):
        """The requests of a name, oldest first."""
        with self._lock:
            return [body for request, body, _ in self.requests if request == name]

    def wait_for(self, name, count=1):
        end = time.monotonic() + 20
        while len(self.named(name)) < count:
            if time.monotonic() > end:
                raise AssertionError(f"not {count} requests '{name}': {[name for name, _, _ in self.requests]}")
            time.sleep(0.002)
        return self.named(name)[-1]

    def finish(self, job=1, outcome="done"):
        with self._lock:
            output, descriptor = self._files.pop(job, (None, None))
            if output is not None and outcome == "done":
                header = base64.b64decode(output.get("header", ""))
                if output.get("sequential"):
                    os.write(descriptor, header + BYTES * FILL)
                else:
                    os.pwrite(descriptor, BYTES * FILL, output["offset"])
                    os.pwrite(descriptor, header, 0)
            if descriptor is not None:
                os.close(descriptor)
            self._jobs[job].update(state="ended", outcome=outcome, tiles_done=4)
            self._tell(job)

    def forget(self, job=1):
        with self._lock:
            del self._jobs[job]

    # -- the conversation

    def _accept(self, listener):
        while True:
            try:
                peer = listener.accept()[0]
            except OSError:
                return
            with self._lock:
                if listener is not self._listener:
                    peer.close()
                    return
                self._peers.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer):
        while True:
            try:
                message = receive_message(peer)
            except OSError:
                message = None
            if message is None:
                peer.close()
                return
            body, descriptors = message
            with self._lock:
                self.requests.append((body["request"], body, [os.fstat(number).st_ino for number in descriptors]))
                answer = getattr(self, "_" + body["request"])(peer, body, descriptors)
                if answer is None:  # dead
                    continue
                try:
                    send_message(peer, {"answer": body["request"], "tag": body["tag"], **answer})
                except OSError:
                    pass
                if body["request"] == "submit" and self.die_at == DEATHS[2]:
                    self._die()

    def _die(self):
        self.die_at = None
        self.kill()

    def _hello(self, peer, body, descriptors):
        return {"protocol": 1, "version": "fake", "instance": "fake", "pid": os.getpid(), "simd": "none"}

    def _plan(self, peer, body, descriptors):
        return {"kernel": body["kernel"], "parameters": {}, "output": {"dtype": "|u1", "shape": [2, 3], "order": "C"},
                "bytes_in": BYTES, "bytes_out": BYTES, "holds_bytes": 4096, "bands": 2, "tiles": 4, "tile": [1, 3],
                "streams": True, "band_shape": [1, 3], "least_bytes": 2048}

    def _submit(self, peer, body, descriptors):
        if self.die_at == DEATHS[0]:
            self._die()
            return None
        known = self._submissions.get(body.get("submission"))
        job = known or max(self._jobs, default=0) + 1
        if known is None:
            self._jobs[job] = self._record(job, body)
            self._submissions[body.get("submission")] = job
        self._take_files(job, body.get("output"), descriptors)
        if self.die_at == DEATHS[1]:
            self._die()
            return None
        return self._go_on(peer, job, body, known is not None)

    def _record(self, job, body):
        return {"id": job, "kernel": body["kernel"], "name": "", "user": "nobody", "uid": 0, "state": "running",
                "outcome": None, "error": None, "reason": "", "output": self._plan(None, body, [])["output"],
                "parameters": {}, "kept": bool(body.get("keep")), "priority": 0, "tiles": 4, "tiles_done": 1,
                "bands": 2, "bands_done": 1, "bytes_out": BYTES, "bytes_in": BYTES, "held_bytes": 4096, "age_s": None,
                "expires_at": None, "submitted_at": time.time(), "durable": self._journal,
                "load_method": "read", "flush_method": "direct", "note": body.get("note"), "_output": body.get("output")}

    def _take_files(self, job, output, descriptors):
        if output is not None:
            self._files[job] = (self._jobs[job]["_output"], os.dup(descriptors[output["descriptor"]]))
        for descriptor in descriptors:
            os.close(descriptor)

    def _go_on(self, peer, job, body, resumed):
        record = self._jobs[job]
        if record["state"] == "interrupted":
            record.update(state="running", age_s=None)
        if body.get("watch"):
            self._watchers.setdefault(job, []).append(peer)
        return {"job": self._public(record), "resumed": resumed}

    def _resume(self, peer, body, descriptors):
        record = self._jobs.get(body["job"])
        if record is None or abs(body.get("submitted_at", record["submitted_at"]) - record["submitted_at"]) > 1e-3:
            return self._no_job(body)
        interrupted = record["state"] == "interrupted"
        if interrupted:
            record["note"] = body.get("note", record["note"])
            self._take_files(body["job"], body.get("output"), descriptors)
        return self._go_on(peer, body["job"], body, interrupted)

    def _show(self, peer, body, descriptors):
        record = self._jobs.get(body["job"])
        return self._no_job(body) if record is None else {"job": self._public(record)}

    def _watch(self, peer, body, descriptors):
        answer = self._show(peer, body, descriptors)
        if "job" in answer:
            self._watchers.setdefault(body["job"], []).append(peer)
        return answer

    def _cancel(self, peer, body, descriptors):
        self.finish(body["job"], "cancelled")
        return self._show(peer, body, descriptors)

    def _list(self, peer, body, descriptors):
        return {"jobs": [self._public(record) for record in self._jobs.values()]}

    def _drop(self, peer, body, descriptors):
        return self._show(peer, body, descriptors)

    def _no_job(self, body):
        return {"error": {"kind": "usage", "what": f"there is no job {body['job']}", "because": "", "remedy": ""}}

    def _tell(self, job):
        for peer in self._watchers.get(job, []):
            try:
                send_message(peer, {"event": "job", "job": self._public(self._jobs[job])})
            except OSError:
                pass

    @staticmethod
    def _public(record):
        return {key: value for key, value in record.items() if not key.startswith("_")}
