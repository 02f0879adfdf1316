"""The packets of one connection, shared by all threads of the process."""

import contextlib
import errno
import itertools
import os
import select
import socket as _socket
import subprocess
import threading
import time
import weakref

from slab.daemon_socket import connect, usual_sockets
from slab.embedded_daemon import start_embedded
from slab.errors import Interrupted, NoDaemon, SlabError, UsageError, error_from
from slab.messages import close_all, receive_message, send_message

PROTOCOL = 1

open_connections = weakref.WeakSet()
HELLO = {"protocol": PROTOCOL, "client": "slab.py"}


class Link:
    """Requests and their answers over one socket; any number of threads may use it at once. The first thread that waits
    receives, and delivers for all."""

    def __init__(self, socket, daemon, plugins=()):
        self._embedded = None                  # the private daemon's process
        self._log = None                       # and what it logged
        self._owner = os.getpid()
        self._sending = threading.Lock()
        self._arrival = threading.Condition()  # guards all below
        self._reading = False                  # one thread receives for all that wait
        self._tags = itertools.count(1)
        self._awaited = {}                     # tag -> whether the answer's job is to be followed
        self._answers = {}                     # tag -> (message, descriptors)
        self._followed = {}                    # job id -> its latest JOB
        self._lost = None                      # why nothing more will arrive
        self._closed = False                   # by us: there is no way back
        self._generation = 0                   # counts the daemons that this connection has had
        self.greeting = {}                     # the daemon's: its version, instance, pid, simd
        if plugins and (socket or daemon):
            raise UsageError("plugins are for a private daemon, and a running one was asked for",
                             "a daemon loads the plug-ins of its own configuration, when it starts",
                             "Leave socket and daemon away; or have the library listed in [kernels] plugins of the "
                             "daemon's slabd.toml, and restart it.")
        self._peer, self._path = (None, None) if plugins else connect(socket)
        if self._peer is None:
            if daemon:
                raise NoDaemon("no slabd is running here", "nobody listens at " + " or ".join(usual_sockets()),
                               "Start slabd, or leave daemon=True away.")
            self._peer, self._embedded, self._log = start_embedded(plugins)
        open_connections.add(self)
        try:
            self.greeting = self.request("hello", **HELLO)[0]
        except Interrupted as error:
            self.close()
            if self._embedded is not None:
                raise NoDaemon("a private daemon was started and ended at once", self._last_words(),
                               "Look at what `slab doctor` says.") from error
            raise
        except BaseException:
            self.close()
            raise
        for plugin in self.greeting.get("plugins", []) if plugins else []:
            if plugin["refused"]:
                self.close()
                raise error_from(plugin["refused"])

    @property
    def is_embedded(self):
        """Whether the daemon is a private one of this process."""
        return self._embedded is not None

    @property
    def is_open(self):
        return self._lost is None and self._owner == os.getpid()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends linked jobs, and the daemon if it is a private one. Arrays that came from it stay valid."""
        with self._arrival:
            self._closed = True
            if self._lost is None:
                self._lost = "the connection was closed"
        with contextlib.suppress(OSError):
            self._peer.shutdown(_socket.SHUT_RDWR)  # wakes a thread that is receiving
        self._peer.close()
        if self._embedded is not None and self._owner == os.getpid():
            try:
                self._embedded.wait(10)  # it ends by itself: our side of its only connection is closed
            except subprocess.TimeoutExpired:
                self._embedded.terminate()
                self._embedded.wait()
            if self._log is not None and self.greeting:
                self._log.close()

    def _last_words(self):
        words = f"it ended with exit code {self._embedded.returncode}"
        if self._log is None:
            return words
        with self._log:
            self._log.seek(0)
            return words + "\n" + self._log.read()[-2000:].decode(errors="replace").strip()

    def _forget_in_child(self):
        """After a fork: the child's copy of the socket would keep the daemon from seeing the parent's end."""
        self._sending, self._arrival = threading.Lock(), threading.Condition()  # another thread may have held them
        self._closed = True
        self._lost = "it belongs to the process that this one was forked from"
        self._peer.close()

    # -- requests

    def request(self, name, /, descriptors=(), **content):
        """Sends a request of the protocol and waits: (answer, its descriptors). Raises the error it answers."""
        tag = self._send(name, descriptors, content)
        return self._answer(tag)

    def _send(self, name, descriptors, content, follow=False):
        self._check_open()
        with self._arrival:
            tag = next(self._tags)
            self._awaited[tag] = follow
        try:
            with self._sending:
                send_message(self._peer, {"request": name, "tag": tag, **content}, descriptors)
        except OSError as error:
            with self._arrival:
                del self._awaited[tag]
                self._lost = self._lost or os.strerror(error.errno or errno.EPIPE)
            self._check_open()
        return tag

    def _answer(self, tag, timeout=None):
        def arrived():
            if tag not in self._awaited and tag not in self._answers:  # asked of a daemon that is gone
                raise self._gone("it closed the connection")
            return self._answers.pop(tag, None)

        try:
            message, descriptors = self._await(arrived, timeout) or (None, [])
        finally:
            with self._arrival:
                self._awaited.pop(tag, None)
                close_all(self._answers.pop(tag, (None, []))[1])
        if message is None:
            raise TimeoutError
        if "error" in message:
            close_all(descriptors)
            raise error_from(message["error"])
        return message, descriptors

    def _check_open(self):
        if self._owner != os.getpid():
            raise UsageError("this connection cannot be used", "it belongs to the process that was forked",
                             "Open a new slab.Connection after the fork.")
        if self._lost is not None:
            raise self._gone(self._lost)

    @staticmethod
    def _gone(why):
        return Interrupted("the daemon went away", why, "Look into the daemon's log, and run the job again.")

    def _await(self, ready, timeout=None):
        """Waits until ready() is not None. None when the time is over.

        The first thread to come receives, and delivers for all; when it has what it wants, another takes over.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._arrival:
            while True:
                value = ready()
                if value is not None:
                    return value
                self._check_open()
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return None
                if self._reading:
                    self._arrival.wait(left)
                else:
                    self._receive_for_all(left)

    def _receive_for_all(self, timeout):
        """Called with the lock held; lets go of it while it waits for the socket."""
        self._reading = True
        message, lost = None, None
        self._arrival.release()
        try:
            if timeout is not None and not select.select([self._peer], [], [], timeout)[0]:
                return
            message = receive_message(self._peer)
            lost = "it closed the connection" if message is None else None
        except OSError as error:
            lost = os.strerror(error.errno or errno.EPIPE)
        except SlabError as error:
            lost = f"{error.what}: {error.because}"
        finally:
            self._arrival.acquire()
            self._reading = False
            if message is not None:
                self._deliver(*message)
            if lost is not None:
                self._lost = self._lost or lost
            self._arrival.notify_all()

    def _deliver(self, message, descriptors):
        job = message.get("job")
        if "event" in message:
            close_all(descriptors)
            if isinstance(job, dict) and job.get("id") in self._followed:
                self._followed[job["id"]] = job
            return
        tag = message.get("tag")
        if tag is None and "error" in message:  # the daemon could not even read the tag: it closes after this
            self._lost = error_from(message["error"]).what
        if tag not in self._awaited:
            close_all(descriptors)
            return
        if self._awaited[tag] and isinstance(job, dict):
            # Here, not in the waiting thread: the next event may arrive before that one wakes.
            self._followed[job["id"]] = job
        self._answers[tag] = (message, descriptors)

    def _unfollow(self, job_id):
        self._followed.pop(job_id, None)
