"""The connections that slab.run() and the like use: one for the whole process, made when it is first needed, and one for
each plug-in."""

import atexit
import os
import threading

from slab.connection import Connection
from slab.embedded_daemon import plugin_paths
from slab.link import open_connections

_shared = None
_with_plugins = {}  # ((path, time of change), ...) -> the connection to a private daemon that has them
_shared_guard = threading.Lock()


def process_connection(daemon=False, plugin=None):
    """The connection, opened when there is none; daemon: a private daemon will not do; plugin: one that has it."""
    global _shared
    if plugin:
        return _connection_with(plugin_paths(plugin), daemon)
    with _shared_guard:
        if _shared is None or not _shared.is_open or (daemon and _shared.is_embedded):
            _shared = Connection(daemon=daemon)
        return _shared


def _connection_with(paths, daemon):
    # A library that was built anew is loaded anew.
    key = tuple((path, os.stat(path).st_mtime_ns if os.path.exists(path) else 0) for path in paths)
    with _shared_guard:
        if daemon or key not in _with_plugins or not _with_plugins[key].is_open:
            _with_plugins[key] = Connection(daemon=daemon, plugins=paths)
        return _with_plugins[key]


def _after_fork_in_child():
    global _shared, _shared_guard
    for connection in list(open_connections):
        connection._forget_in_child()
    _shared, _shared_guard = None, threading.Lock()
    _with_plugins.clear()


def _at_exit():
    for connection in list(open_connections):
        if connection._owner == os.getpid():
            connection.close()


os.register_at_fork(after_in_child=_after_fork_in_child)
atexit.register(_at_exit)
