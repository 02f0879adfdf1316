"""A slabd of a test's own, its command line, and its processes held still at named points.

    class Zoom(DaemonTestCase):
        def test_...(self):
            daemon = self.start_daemon(workers=2)
            daemon.arm("worker-before-tile")
            ...

Whatever a test does, its daemon is stopped at the end and has to leave nothing behind: that is part of every test.
No test waits by sleeping a fixed time: wait_until() polls a condition up to a deadline.
"""

import atexit
import contextlib
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SLABD_BUILD", REPOSITORY / "build"))
SLABD = BUILD / "daemon/slabd"
SLAB = BUILD / "client/slab"
SLABD_WITH_TEST_KERNELS = BUILD / "tests/process/slabd_with_test_kernels"

sys.path.insert(0, str(REPOSITORY / "client/python"))
import slab  # noqa: E402  (the module under test, not an installed one)

# A daemon that a test kills is waited for only by the tests of that.
os.environ["SLABD_RECONNECT"] = "0"

# Twenty times what anything here takes on an idle machine: a deadline is for what hangs, not a measurement.
PATIENCE_S = 60.0
POLL_S = 0.002

EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_REFUSED, EXIT_NO_DAEMON, EXIT_INTERRUPTED, EXIT_CANCELLED = (
    0, 1, 2, 3, 4, 5, 130)


def wait_until(condition, what, deadline_s=PATIENCE_S):
    """The first true value of condition(); AssertionError naming `what` after the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s:g} s: {what}")
        time.sleep(POLL_S)


# -------------------------------------------------------------------------------------------------- /proc

def process_state(pid):
    """The letter of /proc/PID/stat ('T': stopped, 'Z': dead and not reaped), or None when there is no such process."""
    fields = _stat_fields(pid)
    return fields[0] if fields else None


def _stat_fields(pid):
    try:
        content = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return content[content.rindex(")") + 2:].split()  # the name before may contain blanks and parentheses


def process_title(pid):
    """What `ps` shows: "slabd: worker 3 (cpu 5)"."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def processes_of_session(session):
    """Living processes of a session. A daemon is started as the leader of its own, and its children stay in it
    whoever adopts them."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat_fields(name)
            if fields and int(fields[3]) == session and fields[0] not in "ZX":
                found.append(int(name))
    return found


def children_of(pid):
    """Living children of a process."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat_fields(name)
            if fields and int(fields[1]) == pid and fields[0] not in "ZX":
                found.append(int(name))
    return found


def open_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory_kib(pid, field):
    """A field of /proc/PID/status: "RssAnon", "RssShmem", ..."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise KeyError(field)


# -------------------------------------------------------------------------------------------------- status

def held_bytes(status):
    """Of the volume, by jobs and kept results: `slab status --json`."""
    return status["volume"]["held_bytes"]


def lingering_bytes(status):
    """Of the volume: given up by the daemon, still mapped by a reader."""
    return status["volume"]["lingering_bytes"]


def worker_pids_by_cpu(status, states=("idle", "busy")):
    """{cpu: pid} of the workers in one of these states; by default those that are ready for work. Without those that were
    heard before the zygote has told their pid: -1 is every process there is, for whoever kills it."""
    return {worker["cpu"]: worker["pid"] for worker in status["workers"]
            if worker["state"] in states and worker["pid"]}


# -------------------------------------------------------------------------------------------------- the daemon

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


# -------------------------------------------------------------------------------------------------- commands

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


def as_user(uid, gid=0):
    """The words before a command that run it as this user, in this group only. Needs root."""
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]


needs_root = unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "needs root and setpriv")


# -------------------------------------------------------------------------------------------------- test cases

class DaemonTestCase(unittest.TestCase):
    """Starts daemons in a temporary directory; each has to leave nothing behind."""

    maxDiff = 4000

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="slab-test-"))
        self.directory.chmod(0o755)  # some clients are other users
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def start_daemon(self, **options):
        daemon = Daemon(self.directory, **options)
        self.addCleanup(self._stop, daemon)
        return daemon.start()

    @contextlib.contextmanager
    def running_daemon(self, **options):
        """A daemon for a part of a test, stopped and checked at that part's end."""
        daemon = Daemon(self.directory, **options)
        try:
            yield daemon.start()
        finally:
            self._stop(daemon)

    def _stop(self, daemon):
        leftovers = daemon.stop()
        self.assertEqual(leftovers, [], f"the daemon leaves something behind\n{daemon.log_text()[-3000:]}")

    def assert_exit(self, command, code):
        self.assertEqual(command.code, code,
                         f"{' '.join(command.arguments)}\nstdout: {command.out[-1500:]}\nstderr: {command.err[-1500:]}")

    def files(self):
        """What is in the test's directory beside the daemon's own files."""
        return sorted(path.name for path in self.directory.iterdir() if not path.name.startswith("test-"))


class SharedDaemonTestCase(unittest.TestCase):
    """One daemon and one connection (self.slabd) for all tests of a class: for tests that only compute."""

    daemon_options = {}

    @classmethod
    def setUpClass(cls):
        cls._directory = tempfile.TemporaryDirectory(prefix="slab-test-")
        cls.addClassCleanup(cls._directory.cleanup)
        cls.daemon = Daemon(cls._directory.name, **cls.daemon_options)
        cls.addClassCleanup(cls._stop)
        cls.daemon.start()
        cls.slabd = cls.daemon.connect()

    @classmethod
    def _stop(cls):
        leftovers = cls.daemon.stop()
        if leftovers:
            raise AssertionError(f"the daemon leaves something behind: {leftovers}")
