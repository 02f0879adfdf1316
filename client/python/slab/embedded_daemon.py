"""A private daemon, for where none is running."""

import os
import shutil
import socket as _socket
import subprocess

from slab.errors import NoDaemon, os_error


def plugin_paths(plugins):
    """The absolute paths of one library, or of a list."""
    return [os.path.abspath(path) for path in ([plugins] if isinstance(plugins, (str, os.PathLike)) else plugins or ())]


def start_embedded(plugins=()):
    """A private daemon with these libraries of kernels that serves one connection and ends with it: (our side of it, its process, its log).

    What it logs goes to our stderr with SLABD_LOG set, else into a memfd, for the error when it ends at once.
    """
    program = _find_slabd()
    if program is None:
        raise NoDaemon("no slabd is running here, and the program slabd was not found",
                       "a private daemon would be started from beside `slab`, from PATH, or from $SLABD_PROGRAM",
                       "Install slabd, or set SLABD_PROGRAM to its path.")
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    log = None if "SLABD_LOG" in os.environ else open(os.memfd_create("slabd-log"), "r+b")
    try:
        # A session of its own: Ctrl-C at the terminal is for us, and we cancel in good order.
        process = subprocess.Popen([program, "--embedded", str(theirs.fileno()), *(f"--plugin={path}" for path in plugins)],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, pass_fds=[theirs.fileno()],
                                   start_new_session=True)
    except OSError as error:
        ours.close()
        if log is not None:
            log.close()
        raise os_error(f"{program} cannot be started", error, "Set SLABD_PROGRAM to the path of slabd.",
                        NoDaemon) from error
    finally:
        theirs.close()
    return ours, process, log


def _find_slabd():
    chosen = os.environ.get("SLABD_PROGRAM")
    if chosen:
        return chosen
    places = []
    client = shutil.which("slab")
    if client:
        beside = os.path.dirname(os.path.realpath(client))
        places += [beside, os.path.join(beside, "../sbin"), os.path.join(beside, "../daemon")]
    places += [os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"]
    return shutil.which("slabd", path=os.pathsep.join(places))
