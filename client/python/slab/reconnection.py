"""Daemons that go away and come back while somebody waits."""

import contextlib
import errno
import itertools
import os
import re
import socket as _socket
import threading
import time

from slab.daemon_socket import connect
from slab.errors import Interrupted, NoDaemon, UsageError
from slab.link import HELLO, Link
from slab.messages import close_all, send_message

RECONNECT_INTERVAL_S = 0.2
MOST_LOSSES = 5     # of the daemon while a job does not get on: it may be the job that kills it


class SurvivingLink(Link):
    """A link that goes on with the next daemon at the same socket, for those who wait through a restart."""

    def __init__(self, socket, daemon, reconnect_for, plugins=()):
        self.reconnect_for = reconnect_patience() if reconnect_for is None else reconnect_for
        self._reconnecting = threading.Lock()  # one thread looks for the daemon, the others wait for it
        super().__init__(socket, daemon, plugins)

    def _forget_in_child(self):
        super()._forget_in_child()
        self._reconnecting = threading.Lock()

    def _may_reconnect(self):
        return (self._lost is not None and not self._closed and self._embedded is None and self.reconnect_for > 0
                and self._owner == os.getpid())

    def _reconnect(self, generation):
        """Goes on with the next daemon at the same socket, unless another thread has found it since `generation`.
        Raises Interrupted when none comes in time."""
        with self._reconnecting:
            if self._generation != generation:
                return
            lost, deadline = self._lost, time.monotonic() + self.reconnect_for
            absence = ""
            while True:
                try:
                    tag = self._go_on_at(connect(self._path)[0])
                    self.greeting = self._answer(tag, max(deadline - time.monotonic(), RECONNECT_INTERVAL_S))[0]
                    return
                except (NoDaemon, Interrupted, TimeoutError) as error:
                    absence = str(error).splitlines()[0] if str(error) else "it does not answer"
                if time.monotonic() >= deadline:
                    with self._arrival:
                        self._lost = self._lost or lost
                    raise Interrupted("the daemon went away",
                                      f"it did not come back within {self.reconnect_for:g} s: {absence}",
                                      "Look into the daemon's log; once it runs again, `slab ps` shows its jobs.")
                time.sleep(RECONNECT_INTERVAL_S)

    def _go_on_at(self, peer):
        with self._arrival:
            with contextlib.suppress(OSError):
                self._peer.shutdown(_socket.SHUT_RDWR)
            while self._reading:  # another thread is still about to see the old daemon's end
                self._arrival.wait()
            self._peer.close()
            self._peer = peer
            self._awaited.clear()
            self._followed.clear()
            for _, descriptors in self._answers.values():
                close_all(descriptors)
            self._answers.clear()
            self._lost = None
            self._generation += 1
            self._arrival.notify_all()
            # Under the lock: hello has to come before what other threads send.
            tag = next(self._tags)
            self._awaited[tag] = False
            try:
                send_message(peer, {"request": "hello", "tag": tag, **HELLO})
            except OSError as error:
                self._lost = os.strerror(error.errno or errno.EPIPE)
            return tag

    def _surviving(self, ask):
        """ask(), and again after each restart of the daemon."""
        for losses in itertools.count(1):
            generation = self._generation
            try:
                return ask()
            except Interrupted:
                if self._generation == generation and not self._may_reconnect() or losses > MOST_LOSSES:
                    raise
                self._reconnect(generation)


def reconnect_patience():
    """Seconds, of $SLABD_RECONNECT."""
    text = os.environ.get("SLABD_RECONNECT") or "60s"
    match = re.fullmatch(r"(\d+)(ms|s|min|h|d)", text)
    if match is None and text != "0":
        raise UsageError("SLABD_RECONNECT is no duration", f"it is '{text}'",
                         "Give it a number and a unit, as 60s or 5min, or 0 for not waiting.")
    return int(match[1]) * {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400}[match[2]] if match else 0
