"""The connection that slab.run() and the like use: one for the whole process, made when it is first needed."""

import atexit
import os
import threading

from slab.connection import Connection
from slab.link import open_connections

_shared = None
_shared_guard = threading.Lock()


def process_connection(daemon=False):
    """The connection, opened when there is none; daemon: a private daemon will not do."""
    global _shared
    with _shared_guard:
        if _shared is None or not _shared.is_open or (daemon and _shared.is_embedded):
            _shared = Connection(daemon=daemon)
        return _shared


def _after_fork_in_child():
    global _shared, _shared_guard
    for connection in list(open_connections):
        connection._forget_in_child()
    _shared, _shared_guard = None, threading.Lock()


def _at_exit():
    for connection in list(open_connections):
        if connection._owner == os.getpid():
            connection.close()


os.register_at_fork(after_in_child=_after_fork_in_child)
atexit.register(_at_exit)
