"""A job as its client sees it."""

import time
import weakref

import numpy as np

from slab.errors import Cancelled, Interrupted, JobFailed, SlabError, ERROR_TYPES, error_from
from slab.held_files import HeldFiles

SAME_TIME_S = 1e-3  # the daemon keeps submitted_at in another form than the text that it sends


class Job:
    """A submitted job. It lives in the daemon: losing this object does not end it.

    id: its number, for `slab show`, slab.attach() and the like.
    """

    def __init__(self, connection, record, output, following, held=None, request=None):
        self._connection = connection
        self._record = record
        self._output = output
        self._output_open = following and output is not None
        self._following = following
        self._generation = connection._generation
        self._held = held or HeldFiles()
        self._request = request
        self.id = record["id"]
        weakref.finalize(self, connection._unfollow, self.id)
        weakref.finalize(self, self._held.close)

    def __repr__(self):
        return f"<slab.Job {self.id} {self._record['kernel']} {self._record['outcome'] or self._record['state']}>"

    def show(self):
        """The job as the daemon sees it now: the dictionary of `slab show --json`."""
        if self._record["state"] != "ended":
            self._record = self._connection.request("show", job=self.id)[0]["job"]
        return self._record

    def progress(self):
        """The finished share of the job's tiles, 0 to 1."""
        record = self.show()
        if record["outcome"] == "done":
            return 1.0
        return (record["tiles_done"] or 0) / record["tiles"] if record["tiles"] else 0.0

    def wait(self, timeout=None):
        """Waits for the end: the dictionary of `slab show --json`. JobFailed, Cancelled, ... for a job that was
        not done; TimeoutError after that many seconds, the job goes on."""
        if self._record["state"] != "ended":
            deadline = None if timeout is None else time.monotonic() + timeout
            ended = self._connection._surviving(
                lambda: self._wait(None if deadline is None else max(0, deadline - time.monotonic())))
            if ended is None:
                raise TimeoutError(f"job {self.id} has not ended within {timeout} s")
            self._record = ended
            if not (self._request and self._request.get("linked")):  # a lent result may still be lost: see run()
                self._held.close()
        if self._record["outcome"] != "done":
            if self._output is not None and not self._output_open:
                self._output.remove_if_unchanged()
            raise self._failure()
        return self._record

    def _wait(self, timeout):
        if self._generation != self._connection._generation:
            self._find_again()
        self._follow()
        return self._connection._await(self._ended_record, timeout)

    def _find_again(self):
        """After a restart of the daemon: the same job, resumed if it has to be and we have its files."""
        generation, before = self._connection._generation, self._record
        self._following = False
        holds_files = self._request is not None
        try:
            found = self._connection.request("show", job=self.id)[0]["job"]
        except (Interrupted, Cancelled):
            raise
        except SlabError:
            found = None
        # A daemon without a journal counts from 1 again: an id alone is no proof.
        known = found is not None and abs(found["submitted_at"] - before["submitted_at"]) <= SAME_TIME_S
        if known and found["state"] == "ended" and not (holds_files and self._lost_its_result(found)):
            self._record = found
        elif known and found["state"] != "ended" and holds_files:
            self._resume(watch=True)
        elif known and found["state"] == "interrupted":
            raise Interrupted(f"job {self.id} is interrupted", "its daemon ended while it ran",
                              f"Make it go on with slab.resume({self.id}).")
        elif known:
            self._record = found
        elif holds_files and not {"kernel", "steps"}.isdisjoint(self._request) and not before.get("durable"):
            self._submit_again()
        else:
            raise Interrupted(f"the daemon came back without job {self.id}", "the job was not in its journal",
                              "Run it again.")
        self._generation = generation

    def _lost_its_result(self, found):
        """Lent to the connection that was lost, or kept in a volume that is gone."""
        return (found["outcome"] == "done" and "output" not in self._request and found.get("held_bytes") == 0
                and found["bytes_out"] > 0)

    def _submit_again(self):
        """A kernel is pure: same inputs, same result."""
        follow = self._request.get("watch", False)
        self._record = self._connection._submit_held(self._request, self._held, follow=follow)
        self.id = self._record["id"]
        self._following = follow

    def _resume(self, watch, **content):
        """Gives the daemon the job's files again. Whether it uses them."""
        files = self._held.descriptors()
        count = self._held.input_count()
        if len(files) > count:
            content["output"] = {"descriptor": count}
        tag = self._connection._send("resume", files, {
            "job": self.id, "submitted_at": self._record["submitted_at"], "watch": watch,
            "linked": self._request.get("linked", False),
            "inputs": [{"descriptor": index} for index in range(count)], **content}, follow=watch)
        answer = self._connection._answer(tag)[0]
        self._record, self._following = answer["job"], watch
        return answer.get("resumed", True)

    def _follow(self):
        if not self._following and self._record["state"] != "ended":
            tag = self._connection._send("watch", (), {"job": self.id}, follow=True)
            self._connection._answer(tag)
            self._following = True

    def _ended_record(self):
        if self._generation != self._connection._generation:  # another thread has found the next daemon
            raise self._connection._gone("it closed the connection")
        record = self._connection._followed.get(self.id, self._record)
        return record if record["state"] == "ended" else None

    def _failure(self):
        if self._record["error"]:
            return error_from({"kind": self._record["outcome"], **self._record["error"]})
        kind = ERROR_TYPES.get(self._record["outcome"], JobFailed)
        return kind(f"job {self.id} was {self._record['outcome']}")

    def cancel(self):
        """Ends the job at the next tile's border and waits for that: the dictionary of `slab show --json`."""
        self._record = self._connection.request("cancel", job=self.id)[0]["job"]
        return self._record

    def result(self):
        """The output as a read-only array, once the job is done: a view of the volume, or a memmap of its file. Of a
        kernel that answers with one number (a fold of everything): that number, as a numpy scalar."""
        self.wait()
        if self._output is None:
            return self._attach()
        if self._output_open:
            self._output.commit()
        return self._output.load(self._record["output"])

    def _attach(self):
        try:
            view = self._connection.attach(self.id)
            is_number = self._record.get("result") is not None and view.size == 1
            return view.reshape(-1)[0] if is_number else view
        except Interrupted:
            if self._request and self._request.get("linked"):
                self._record = {**self._record, "state": "received", "outcome": None}  # the result was lent: again
            raise

    def tables(self):
        """What the job tells beside its output, once it is done: a dictionary of 2-D arrays of float64, for instance
        `motion` of realign (`slab kernels realign` says what its columns are). Most jobs tell none."""
        told = self.wait().get("result")
        return {name: np.array(rows, dtype=np.float64) for name, rows in told.items()} if isinstance(told, dict) else {}

    def drop(self):
        """Gives a kept result back to the daemon. Views of it stay valid; their memory returns with the last."""
        self._connection.request("drop", job=self.id)

    def _close_output(self):
        if self._output_open:
            self._output_open = False
            self._output.close()
