"""The guests of one job, as their parent sees them: forked, looked after, replaced, reaped."""

import os
import signal
import socket as _socket
import sys
import threading
import time

from slab.errors import Interrupted, JobFailed, SlabError
from slab.guest import become_guest
from slab.guest_segment import GuestSegment
from slab.messages import close_all

MOST_HIRED_AT_ONCE = 16
MOST_IDLE_DEATHS = 10     # of guests in a row, without a tile done: something kills them all
PATIENCE_S = 1.0          # for guests to end by themselves once their job has

# A process that is forked between a socket's arrival and the fork of its guest would hold it open, and the daemon would
# not see that guest's end.
_forking = threading.Lock()


class GuestCrew:
    """Forks guests for a job that was submitted, and replaces those that die."""

    def __init__(self, connection, job_id, make_work):
        """make_work(segment, facts): the Work, when the segment is mapped."""
        self._connection, self._job_id, self._make_work = connection, job_id, make_work
        self._parent = os.getpid()
        self._children = set()
        self._work = None
        self._deaths = 0
        self._done_at_death = -1
        self.segment = None

    def start(self, workers):
        """workers: how many; None: as many as the daemon has."""
        wanted = self._hire(min(workers, MOST_HIRED_AT_ONCE) if workers else 0)
        while (workers or wanted) > len(self._children):
            self._hire(min((workers or wanted) - len(self._children), MOST_HIRED_AT_ONCE))

    def _hire(self, count):
        """How many workers the daemon has."""
        with _forking:
            facts, descriptors = self._connection.request("guests", job=self._job_id, count=count)
            sockets = []
            try:
                if self._work is None:
                    self.segment = GuestSegment(descriptors[0], facts["segment_bytes"])
                    if not facts["is_warm"]:
                        self.segment.populate(len(os.sched_getaffinity(0)))
                    self._work = self._make_work(self.segment, facts)
                sockets = [_socket.socket(fileno=descriptors[index]) for index in range(1, len(descriptors))]
                close_all(descriptors[:1])
                descriptors = []
                for stream in (sys.stdout, sys.stderr):
                    if stream is not None:
                        stream.flush()  # or each guest would print it once more
                for cpu in facts["cpus"]:
                    self._fork(sockets.pop(0), sockets, cpu)
            finally:
                close_all(descriptors)
                for peer in sockets:
                    peer.close()
        return facts["workers"]

    def _fork(self, peer, others, cpu):
        # Ctrl-C comes before or after: a child that is not among ours is waited for by nobody.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            child = os.fork()
            if child == 0:
                become_guest(self._work, peer, others, cpu, self._parent)
            self._children.add(child)
        except OSError as error:
            raise JobFailed("a guest cannot be forked", os.strerror(error.errno),
                            "Look at the limit of processes (ulimit -u), or start fewer workers.") from error
        finally:
            peer.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def replace_the_dead(self, tiles_done):
        """Forks a guest for each that has ended before the job."""
        ended = [child for child in self._children if _has_ended(child)]
        self._children.difference_update(ended)
        if not ended:
            return
        self._deaths = self._deaths + len(ended) if tiles_done == self._done_at_death else len(ended)
        self._done_at_death = tiles_done
        if self._deaths > MOST_IDLE_DEATHS + len(self._children):
            raise JobFailed("the guests die before they have done a tile", f"{self._deaths} of them",
                            "Look at the limits of memory, and at the kernel's log (dmesg).")
        try:
            self._hire(len(ended))
        except Interrupted:
            raise
        except SlabError:  # the job has ended meanwhile: its last event says how
            pass

    def give_up(self):
        """The output in memory is nobody's."""
        if self.segment is not None:
            self.segment.unmap()

    def end(self, at_once):
        """Waits for the guests' end; at_once: with SIGKILL. They hold nothing that could be left behind."""
        deadline = time.monotonic() + (0 if at_once else PATIENCE_S)
        while self._children:
            late = time.monotonic() >= deadline
            for child in list(self._children):
                if late:
                    _kill(child)
                if _has_ended(child, os.WNOHANG if not late else 0):
                    self._children.discard(child)
            if self._children:
                time.sleep(0.0005)


def _has_ended(child, options=os.WNOHANG):
    try:
        return os.waitpid(child, options)[0] == child
    except ChildProcessError:  # somebody else waits for all children of this process
        return True


def _kill(child):
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
