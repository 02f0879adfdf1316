"""A slabd of a test's own, and its processes held still at named points.

    daemon = Daemon(directory, workers=2).start()
    daemon.arm("worker-before-tile")
    ...
    assert daemon.stop() == []
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

from build_tree import SLAB, SLABD, SLABD_WITH_TEST_KERNELS, slab
from daemon_status import held_bytes
from process_table import process_state, process_title, processes_of_session
from started_command import start_command
from waiting import PATIENCE_S, wait_until


class Daemon:
    """A running slabd with its own configuration, socket, instance and temporary directory.

    workers, cpus, volume, tile_bytes, tile_deadline, huge_pages, populate, nice, attach_allow, socket_mode, plugins: as in
    the configuration file; None leaves the daemon's default. pause: points that are armed before the start.
    environment: added to that of the process.
    """

    _count = 0

    def __init__(self, directory, *, test_kernels=False, workers=2, cpus=None, nice=None, volume="256MiB",
                 huge_pages=None, populate=None, tile_bytes=None, tile_deadline=None, attach_allow=None,
                 socket_mode=None, expire=None, history=None, quota="100%", journal=None, plugins=None,
                 guest_memory=None, pause=(), environment=None):
        Daemon._count += 1
        self.directory = pathlib.Path(directory)
        self.instance = f"test-{os.getpid()}-{Daemon._count}"
        self.socket = str(self.directory / f"{self.instance}.sock")
        self.log = self.directory / f"{self.instance}.log"
        self.pause_directory = self.directory / f"{self.instance}.pause"
        self.pause_directory.mkdir()
        for point in pause:
            self.arm(point)
        self.journal = pathlib.Path(journal or self.directory / f"{self.instance}.journal")
        self._configuration = self.directory / f"{self.instance}.toml"
        self._configuration.write_text(_toml({
            "volume": {"size": volume, "huge_pages": huge_pages, "populate": populate},
            "workers": {"count": workers, "cpus": cpus, "nice": nice, "tile_deadline": tile_deadline},
            "kernels": {"plugins": None if plugins is None else [str(path) for path in plugins]},
            "tiles": {"bytes": tile_bytes},
            "guests": {"memory": guest_memory},
            "attach": {"allow": attach_allow},
            "socket": {"mode": socket_mode},
            "journal": {"folder": str(self.journal)},
            "results": {"expire": expire, "history": history},
            "quota": {"kept": quota},
            "log": {"level": "debug"},
        }))
        self._program = SLABD_WITH_TEST_KERNELS if test_kernels else SLABD
        self._environment = environment or {}
        self._process = None
        self._sessions = []
        self._connections = []

    @property
    def pid(self):
        return self._process.pid

    def start(self):
        """Returns when the daemon answers. Also after kill(): the same instance again."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_ends_with_the_test(), self._program, "--config", self._configuration, "--socket", self.socket,
                 "--instance", self.instance],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "SLABD_PAUSE_DIR": str(self.pause_directory), **self._environment})
        self._sessions.append(self._process.pid)

        def answers():
            if self._process.poll() is not None:
                raise AssertionError(f"slabd ended with {self._process.returncode}:\n{self.log_text()}")
            try:
                return slab.Connection(self.socket)
            except (slab.NoDaemon, slab.Interrupted):
                return None

        with wait_until(answers, f"slabd answers at {self.socket}"):
            return self

    def stop(self):
        """Stops the daemon in good order and checks that nothing is left of it. Returns what is left, as text."""
        leftovers = []
        for connection in self._connections:
            connection.close()
        if self._process is not None and self._process.poll() is None:
            for pid in processes_of_session(self.pid):
                if process_state(pid) == "T":  # a test that failed at a pause point
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
            self._process.terminate()
            try:
                code = self._process.wait(PATIENCE_S)
                if code != 0:
                    leftovers.append(f"exit code {code}")
            except subprocess.TimeoutExpired:
                leftovers.append("slabd did not end on SIGTERM")
            leftovers += [f"shared memory {path}" for path in self.shared_memory()]
        for session in self._sessions:
            try:
                wait_until(lambda: not processes_of_session(session), "its children end", 10)
            except AssertionError:
                for pid in processes_of_session(session):
                    leftovers.append(f"process {pid} ({process_title(pid)})")
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        for path in self.shared_memory():
            path.unlink()
        return leftovers

    def kill(self):
        """SIGKILL to the supervisor alone, and waits until its children have ended by themselves."""
        self._process.kill()
        self._process.wait()
        session = self._process.pid
        wait_until(lambda: not processes_of_session(session), "the children end with the supervisor")

    def shared_memory(self):
        return list(pathlib.Path("/dev/shm").glob(f"slabd.{self.instance}*"))

    def log_text(self):
        return self.log.read_text(errors="replace")

    # -- clients

    def connect(self):
        """A connection of the Python module, closed with the daemon."""
        connection = slab.Connection(self.socket)
        self._connections.append(connection)
        return connection

    def command(self, *arguments):
        """The command line of `slab` for this daemon."""
        return [str(SLAB), *map(str, arguments)]

    def start_slab(self, *arguments, prefix=(), **options):
        """A running `slab` command. prefix: a program that runs it, as setpriv."""
        return start_command([*prefix, *self.command(*arguments)], self.socket, **options)

    def slab(self, *arguments, prefix=(), **options):
        """A finished `slab` command."""
        return self.start_slab(*arguments, prefix=prefix, **options).finish()

    # -- processes

    def processes(self, role):
        """{title: pid} of the children of a role: "worker", "mover"."""
        titles = {process_title(pid): pid for pid in processes_of_session(self.pid)}
        return {title: pid for title, pid in titles.items() if re.match(rf"slabd: {role}\b", title)}

    def worker_pids(self):
        """The workers, as the daemon itself shows them in `ps`."""
        return sorted(self.processes("worker").values())

    # -- pause points

    def arm(self, point):
        """The next process of this daemon that comes to this point stops itself there."""
        (self.pause_directory / f"{point}.armed").touch()

    def wait_stopped(self, point):
        """The pid of the process that has stopped at an armed point."""
        def stopped():
            for path in self.pause_directory.glob(f"{point}.*"):
                ending = path.name.rsplit(".", 1)[1]
                if ending.isdigit() and process_state(ending) == "T":
                    path.unlink()
                    return int(ending)
            return None
        return wait_until(stopped, f"a process stops at {point}")

    # -- what must come back to where it was

    def held_bytes(self):
        with slab.Connection(self.socket) as connection:
            return held_bytes(connection.status())

    def wait_until_nothing_is_held(self):
        wait_until(lambda: self.held_bytes() == 0, "every extent is given back")


def _ends_with_the_test():
    """The words before a command by which it gets SIGTERM when the test's process dies, as of ctest's timeout."""
    return ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []


def _toml(tables):
    lines = []
    for table, values in tables.items():
        lines.append(f"[{table}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items() if value is not None]
    return "\n".join(lines) + "\n"
