"""A program that a test starts, mostly `slab`, and how it ends."""

import atexit
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from build_tree import REPOSITORY
from waiting import PATIENCE_S

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_REFUSED, EXIT_NO_DAEMON, EXIT_INTERRUPTED, EXIT_CANCELLED = (
    0, 1, 2, 3, 4, 5, 130)


class Command:
    """A program started by a test: `finish()` it, or kill() it."""

    def __init__(self, arguments, environment, cwd=None):
        self.arguments = arguments
        self._process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, env=environment, cwd=cwd)
        self.code = None
        self.out = self.err = ""

    @property
    def pid(self):
        return self._process.pid

    def finish(self, deadline_s=PATIENCE_S):
        """Waits for the end; self.code, self.out, self.err are set."""
        try:
            out, err = self._process.communicate(timeout=deadline_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"not ended within {deadline_s:g} s: {' '.join(self.arguments)}\n{self.err}") from None
        self.code, self.out, self.err = self._process.returncode, out.decode(), err.decode()
        return self

    def signal(self, number):
        self._process.send_signal(number)

    def kill(self):
        self._process.kill()
        out, err = self._process.communicate()
        self.code, self.out, self.err = self._process.returncode, out.decode(), err.decode()

    def json(self):
        """The one object on standard output, and nothing else."""
        value = json.loads(self.out)
        assert isinstance(value, dict), f"not one JSON object: {self.out[:200]}"
        return value


def start_command(arguments, socket=None, environment=None, cwd=None):
    """Starts a program with a clean choice of daemon: this socket, or none."""
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith(("SLAB", "XDG_RUNTIME"))}
    if socket is not None:
        surroundings["SLABD_SOCKET"] = socket
    surroundings["SLABD_RECONNECT"] = "0"
    return Command([str(argument) for argument in arguments], {**surroundings, **(environment or {})}, cwd)


@functools.cache
def _module_for_everybody():
    """A folder with the Python module that every user may read: the checkout may lie in somebody's private home."""
    folder = tempfile.mkdtemp(prefix="slab-module-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.chmod(folder, 0o755)
    package = pathlib.Path(folder, "slab")
    package.mkdir(mode=0o755)
    for module in (REPOSITORY / "client/python/slab").glob("*.py"):
        os.chmod(shutil.copy(module, package), 0o644)
    return folder


def start_python(code, *arguments, prefix=(), socket=None, environment=None):
    """A running Python program that can import slab. prefix: a program that runs it, as setpriv."""
    return start_command([*prefix, sys.executable, "-c", code, *arguments], socket,
                         {"PYTHONPATH": _module_for_everybody(), **(environment or {})})
