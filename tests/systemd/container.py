"""A real systemd in a container, with slabd installed by `cmake --install`.

The root is an overlay of this machine's own /, so nothing is downloaded; /dev/shm, /tmp and /run are the container's.
Boots in under a second. Whatever happens, stop() leaves no mount, process, cgroup or file behind.
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from build_tree import BUILD
from started_command import Command
from waiting import PATIENCE_S, wait_until

PREFIX = "/usr"
PLACE = pathlib.Path("/var/tmp")  # a real disk, for O_DIRECT
PREFIX_OF_DIRECTORIES = "slabd-container-"
TOOLS = {"systemd-nspawn": "systemd-container", "nsenter": "util-linux", "dbus-daemon": "dbus", "cmake": "cmake"}
# What this machine may run and a test does not need; a unit that is not there can be masked as well.
MASKED = ("postgresql.service", "systemd-timesyncd.service", "systemd-networkd.service", "systemd-resolved.service",
          "systemd-pstore.service", "e2scrub_reap.service", "console-getty.service", "getty.target",
          "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer",
          "man-db.timer", "remote-fs.target", "machines.target")


def why_not_here():
    """Why no container can be booted on this machine, or an empty string."""
    if os.geteuid() != 0:
        return "booting a systemd container needs root"
    missing = [f"{tool} (package {package})" for tool, package in TOOLS.items() if shutil.which(tool) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


class Container:
    """run() executes in it as root, or as one of its users."""

    def __init__(self):
        self._one_at_a_time = open("/run/slabd-container.lock", "w")
        wait_until(self._lock_is_free, "another test's container has gone", 300)
        for stale in PLACE.glob(f"{PREFIX_OF_DIRECTORIES}*"):  # of a test that was killed
            _remove(stale)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX_OF_DIRECTORIES, dir=PLACE))
        self.root = self.directory / "merged"
        self._nspawn = None
        self._systemd = None  # its process 1, as a number of this machine

    # -- before it boots: on its file system

    def build_root(self):
        """An overlay of /, with slabd installed."""
        for name in ("upper", "work", "merged", "home"):
            (self.directory / name).mkdir()
        mount = _finished(["mount", "-t", "overlay", "slabd-test", "-o",
                           f"lowerdir=/,upperdir={self.directory}/upper,workdir={self.directory}/work", self.root])
        if mount.code != 0:
            raise unittest.SkipTest(f"no overlay can be mounted here: {mount.err.strip()}")
        self.write("/etc/machine-id", os.urandom(16).hex() + "\n")
        with contextlib.suppress(FileNotFoundError):
            self.inside("/var/lib/dbus/machine-id").unlink()
        self.inside("/var/lib/dbus").mkdir(exist_ok=True)
        self.inside("/var/lib/dbus/machine-id").symlink_to("/etc/machine-id")
        units = self.inside("/etc/systemd/system")
        for name in MASKED:
            _link(units / name, "/dev/null")
        _link(units / "default.target", "/lib/systemd/system/multi-user.target")
        # A slabd that this machine has installed, or its configuration, is not what is tested.
        shutil.rmtree(self.inside("/etc/slabd"), ignore_errors=True)
        self.install()

    def install(self):
        _done(["cmake", "--install", BUILD, "--prefix", PREFIX], {**os.environ, "DESTDIR": str(self.root)})

    def inside(self, path):
        """A file of the container before it boots. Later, live(): it mounts its own /run, /tmp and /dev."""
        return self.root / path.lstrip("/")

    def write(self, path, text):
        file = self.inside(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            file.unlink()  # it may be a link to elsewhere
        file.write_text(text)

    # -- running

    def boot(self):
        """Returns when all its services have started; the seconds it took."""
        start = time.monotonic()
        log = (self.directory / "console.log").open("wb")
        self._nspawn = subprocess.Popen(
            ["setpriv", "--pdeathsig=TERM",  # should this test be killed
             "systemd-nspawn", "-q", "-D", self.root, f"--machine=slabd-test-{os.getpid()}", "--boot",
             "--register=no", "--keep-unit", "--link-journal=no", "--console=pipe", "--private-network",
             "--resolv-conf=off", "--timezone=off",
             # nspawn's own filter lacks what the daemon needs to keep a mover's io_uring; a machine has no such filter.
             "--system-call-filter=pidfd_getfd",
             f"--bind={self.directory}/home:/home"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        log.close()
        self._systemd = wait_until(self._find_systemd, "nspawn starts systemd")
        wait_until(lambda: self.run("systemctl", "is-system-running").out.strip() in ("running", "degraded"),
                   "the container has booted")
        return time.monotonic() - start

    def start(self, *arguments, user=None, environment=()):
        """A program in the container, as root or as `user` with the groups of that user and nothing else."""
        words = [str(argument) for argument in arguments]
        if user is not None:
            words = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--inh-caps=-all",
                     "--bounding-set=-all", "--reset-env", "env", "-C", f"/home/{user}", *environment, *words]
        else:
            words = ["env", "-i", "-C", "/", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", *environment, *words]
        return Command(["nsenter", f"--target={self._systemd}", "--mount", "--uts", "--ipc", "--net", "--pid",
                        "--cgroup", "--root", "--wd", *words], dict(os.environ))

    def run(self, *arguments, user=None, environment=(), deadline_s=PATIENCE_S):
        return self.start(*arguments, user=user, environment=environment).finish(deadline_s)

    def must_run(self, *arguments, **options):
        """The same for what has to succeed; its standard output."""
        command = self.run(*arguments, **options)
        if command.code != 0:
            raise AssertionError(f"{' '.join(map(str, arguments))}: exit code {command.code}\n{command.out}{command.err}")
        return command.out

    def live(self, path):
        """A file of the running container, seen from this machine."""
        return pathlib.Path(f"/proc/{self._systemd}/root{path}")

    def property(self, unit, name):
        return self.must_run("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def journal(self, unit, since):
        """since: a time.time()."""
        return self.must_run("journalctl", "--no-pager", "--quiet", "--output=short-precise", f"--since=@{since:.6f}",
                             f"--unit={unit}")

    def shared_memory(self):
        return sorted(self.must_run("find", "/dev/shm", "-name", "slabd.*", "-printf", "%f\n").split())

    # -- the end

    def shut_down(self):
        """As by `systemctl poweroff`. What is on the disk stays; boot() may follow."""
        self._end_processes()
        _remove_cgroups()

    def cut_power(self):
        """The same, and no process is asked before."""
        self._kill_systemd()
        self.shut_down()

    def stop(self):
        try:
            self.shut_down()
            _remove(self.directory)
        finally:
            self._one_at_a_time.close()

    def _end_processes(self):
        if self._nspawn is None:
            return
        self._nspawn.terminate()  # nspawn tells its systemd to power off
        try:
            self._nspawn.wait(20)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
        self._kill_systemd()

    def _kill_systemd(self):
        # The death of process 1 is that of all others in its namespace.
        if self._systemd is not None and _name_of(self._systemd) == "systemd":
            os.kill(self._systemd, signal.SIGKILL)
            wait_until(lambda: _name_of(self._systemd) != "systemd", "the container's systemd ends", 10)

    def _lock_is_free(self):
        try:
            fcntl.flock(self._one_at_a_time, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False

    def _find_systemd(self):
        if self._nspawn.poll() is not None:
            raise AssertionError(f"nspawn ended with {self._nspawn.returncode}: "
                                 f"{(self.directory / 'console.log').read_text(errors='replace')}")
        children = pathlib.Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        return next((int(child) for child in children if _name_of(child) == "systemd"), None)


def _name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _remove(directory):
    """With the overlay that may be mounted there."""
    root = directory / "merged"
    wait_until(lambda: not root.is_mount() or _finished(["umount", root]).code == 0, f"{root} can be unmounted", 10)
    shutil.rmtree(directory)


def _remove_cgroups():
    """Those that nspawn's --keep-unit leaves in our own, in every hierarchy. What is in use cannot be removed."""
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for mount in [controllers.removeprefix("name=")] if controllers else ["", "unified"]:
            for name in ("payload", "supervisor"):
                for folder, _, _ in os.walk(f"/sys/fs/cgroup/{mount}{path}/{name}", topdown=False):
                    with contextlib.suppress(OSError):
                        os.rmdir(folder)


def _link(path, target):
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    path.symlink_to(target)


def _finished(arguments, environment=None):
    return Command([str(argument) for argument in arguments], environment or dict(os.environ)).finish()


def _done(arguments, environment=None):
    command = _finished(arguments, environment)
    if command.code != 0:
        raise AssertionError(f"{' '.join(map(str, arguments))}: exit code {command.code}\n{command.out}{command.err}")
