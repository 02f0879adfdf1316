"""Which daemon: where its socket is."""

import os
import socket as _socket

from slab.errors import NoDaemon, os_error


def connect(chosen):
    """(a connected socket, its path); (None, None) where no daemon is to be expected. One that exists and refuses is
    an error."""
    for path in [os.fspath(chosen)] if chosen else usual_sockets():
        peer = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        try:
            peer.connect(path)
            return peer, path
        except (FileNotFoundError, NotADirectoryError):
            peer.close()
        except ConnectionRefusedError:  # its daemon has ended; the next place would be another daemon than was meant
            peer.close()
            break
        except PermissionError as error:
            peer.close()
            raise NoDaemon(f"the daemon at {path} does not let you in", os.strerror(error.errno),
                           "Have yourself added to the socket's group, and log in anew.") from error
        except OSError as error:
            peer.close()
            raise os_error(f"the daemon at {path} cannot be reached", error,
                            "Look whether slabd runs: systemctl status slabd.", NoDaemon) from error
    if chosen:
        raise NoDaemon(f"no daemon is running at {os.fspath(chosen)}", "nobody listens there",
                       "Start it with: slabd --socket PATH.")
    return None, None


def usual_sockets():
    if os.environ.get("SLABD_SOCKET"):
        return [os.environ["SLABD_SOCKET"]]
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    own = [os.path.join(runtime, "slabd/slabd.sock")] if runtime else []
    return own + ["/run/slabd/slabd.sock"]
