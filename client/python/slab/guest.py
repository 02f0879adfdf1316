"""A guest: a forked process that leases tiles of one job and calls the user's function for them."""

import ctypes
import os
import signal
import sys
import traceback

import numpy as np

from slab.errors import UsageError
from slab.library_threads import thread_setters, turn_off_library_threads
from slab.messages import receive_message, send_message
from slab.tile import TileGrid

PR_SET_PDEATHSIG = 1
LONGEST_TRACEBACK = 6000
_is_guest = False
_libc = ctypes.CDLL(None)


def check_no_guest():
    """UsageError in a guest: it fills tiles, it has none filled."""
    if _is_guest:
        raise UsageError("map_tiles cannot be called by a function that fills tiles",
                         "this process is a guest of another map_tiles",
                         "Call it one after the other, from the program itself.")


class TileFailed(Exception):
    """What the daemon is told when a function does not do its part."""

    def __init__(self, what, because="", remedy=""):
        super().__init__(what)
        self.message = {"what": what, "because": because, "remedy": remedy}


class Work:
    """What a guest is to do: the same for all guests of a job.

    function(tile, *inputs, out); inputs: read-only arrays. segment: where the output, or a ring for its bands, lies.
    """

    def __init__(self, function, inputs, segment, shape, dtype, halo, deadline_s, nice):
        self.function, self.inputs, self.segment = function, inputs, segment
        self.name = function_name(function)
        self.shape, self.dtype, self.halo, self.deadline_s = shape, dtype, halo, deadline_s
        self.nice = nice
        self.thread_setters = thread_setters()  # here, once, and not in each guest


def function_name(function):
    return getattr(function, "__qualname__", None) or type(function).__name__


def become_guest(work, peer, others, cpu, parent):
    """The life of a forked child: never returns. peer: its socket. others: sockets of other guests, to be closed.
    parent: the process that forked it."""
    global _is_guest
    code = 1
    try:
        _is_guest = True
        _settle(work, others, cpu, parent)
        os.register_at_fork(after_in_child=peer.close)  # a grandchild must not keep the daemon from seeing our end
        code = _fill_tiles(work, peer)
    except (ConnectionError, BrokenPipeError):
        code = 0  # the daemon has let us go
    except BaseException:
        traceback.print_exc()
    finally:
        _flush()
        os._exit(code)  # what the parent has registered to be done at its end is the parent's


def _settle(work, others, cpu, parent):
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)  # it died before we asked to be told
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent: it cancels the job
    for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for other in others:
        other.close()
    _let_go_of_the_volume()
    if cpu in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {cpu})
    os.nice(work.nice)
    turn_off_library_threads(work.thread_setters)


def _let_go_of_the_volume():
    """Results that the parent is attached to have a descriptor through which all of the volume can be read. The views stay;
    the numbers stay taken, since the parent's objects believe that they own them."""
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    for name in os.listdir("/proc/self/fd"):
        try:
            path = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if path.startswith(("/dev/shm/slabd.", "/memfd:slabd")):
            os.dup2(nothing, int(name), inheritable=False)
    os.close(nothing)


def _fill_tiles(work, peer):
    """Until the daemon closes the socket: the job has ended. The exit code."""
    process = os.getpid()
    send_message(peer, {"ready": True})
    while True:
        received = receive_message(peer)
        if received is None:
            return 0
        lease = received[0]
        grid = TileGrid(lease, work.shape, work.halo)
        band = work.segment.array(grid.shape, work.dtype, lease["place"])
        try:
            for number in range(lease["first"], lease["first"] + lease["count"]):
                _fill_tile(work, grid, band, number)
                if os.getpid() != process:
                    os._exit(0)  # the function has forked, and this is the child
        except TileFailed as failure:
            if os.getpid() != process:
                os._exit(1)
            signal.setitimer(signal.ITIMER_REAL, 0)
            _flush()
            send_message(peer, {"failed": lease["lease"], **failure.message})
            receive_message(peer)  # the daemon ends the job, and with it this connection
            return 1
        _flush()
        send_message(peer, {"done": lease["lease"]})


def _fill_tile(work, grid, band, number):
    tile = grid.tile(number)
    if work.deadline_s:
        signal.setitimer(signal.ITIMER_REAL, work.deadline_s)  # ends this process, whatever it is in
    try:
        returned = work.function(tile, *work.inputs, grid.out(tile, band))
    except SystemExit as left:
        raise TileFailed(f"{work.name} called sys.exit({left.code!r}) at {tile!r}", "",
                         "Return when a tile is done; raise an exception when it cannot be.") from left
    except BaseException as error:
        raise TileFailed(f"{work.name} raised {_one_line(error)} at {tile!r}", _traceback_of(error),
                         "Call it for this tile alone: slab.Tile says what it gets.") from error
    if work.deadline_s:
        signal.setitimer(signal.ITIMER_REAL, 0)
    if returned is not None:
        raise TileFailed(f"{work.name} returned something at {tile!r}",
                         f"a {type(returned).__name__}{_shape_text(returned)}; what it returns goes nowhere",
                         "Write the values into out (out[...] = VALUES) and return nothing.")


def _one_line(error):
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}{': ' + text[0][:200] if text else ''}"


def _traceback_of(error):
    """As Python prints it, from the user's function on."""
    lines = traceback.format_exception(type(error), error, error.__traceback__.tb_next)
    return "".join(lines).strip()[-LONGEST_TRACEBACK:]


def _shape_text(value):
    return f" of shape {value.shape}" if isinstance(value, np.ndarray) else ""


def _flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):  # none, closed, or nobody reads it any more
            pass
