"""slabd as it is installed: in a container, by the commands of the README, with the unprivileged users anna (of the
group slabd) and otto (of no group)."""

import contextlib
import os
import shutil
import sys
import time
import unittest

import numpy as np

from container import Container, why_not_here
from waiting import wait_until

SERVICE, SOCKET = "slabd.service", "slabd.socket"
MEMBER, STRANGER = "anna", "otto"
PAUSE_DIRECTORY = "/dev/shm/pause"  # writable for the service whatever the unit protects
STATE_DIRECTORY = "/var/lib/slabd"
NO_PATIENCE = ["SLABD_RECONNECT=0"]  # a client that is told at once when its daemon goes
CONFIGURATION = """
[volume]
size = "256MiB"
[log]
level = "debug"
"""


class InstalledTestCase(unittest.TestCase):
    """One container for all tests of a class. Each begins with a listening socket, no service and no journal, and its
    service has to leave nothing in shared memory."""

    @classmethod
    def setUpClass(cls):
        if reason := why_not_here():
            raise unittest.SkipTest(reason)
        cls.container = Container()
        cls.addClassCleanup(cls.container.stop)
        cls.container.build_root()
        cls.container.boot()
        cls.make_pausable()
        run = cls.container.must_run
        run("systemd-sysusers")
        run("systemd-tmpfiles", "--create", "slabd.conf")
        run("systemctl", "enable", "--now", SOCKET)
        run("useradd", "--create-home", "--groups", "slabd", MEMBER)
        run("useradd", "--create-home", STRANGER)

    @classmethod
    def make_pausable(cls):
        """After each boot: neither the drop-in nor the folder outlives it."""
        cls.set_drop_in("pause", f'[Service]\nEnvironment="SLABD_PAUSE_DIR={PAUSE_DIRECTORY}"\n')
        cls.container.must_run("install", "--directory", "--mode=0777", PAUSE_DIRECTORY)

    @classmethod
    def set_drop_in(cls, name, text, unit=SERVICE):
        """Overrides directives of a unit; None takes the drop-in away."""
        drop_in = cls.container.live(f"/run/systemd/system/{unit}.d/{name}.conf")
        if text is None:
            drop_in.unlink()
        else:
            drop_in.parent.mkdir(parents=True, exist_ok=True)
            drop_in.write_text(text)
        cls.container.must_run("systemctl", "daemon-reload")

    def setUp(self):
        self.began = time.time()
        self.configure(CONFIGURATION)
        self.homes = self.container.directory / "home"
        self.home = self.homes / MEMBER
        self.addCleanup(self._stop_service)

    def _stop_service(self):
        self.container.must_run("systemctl", "stop", SERVICE)
        self.container.run("systemctl", "reset-failed", SERVICE, SOCKET)
        self.container.must_run("systemctl", "start", SOCKET)
        for path in [*self.homes.glob("*/*.npy"), *self.container.live(PAUSE_DIRECTORY).glob("*")]:
            path.unlink()
        for journal in self.container.live(STATE_DIRECTORY).glob("*"):
            shutil.rmtree(journal)
        self.assertEqual(self.container.shared_memory(), [])

    def run(self, result=None):
        """With the daemon's log after a failure."""
        result = result if result is not None else self.defaultTestResult()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(f"--- the log of {self.id()}\n{self.container.journal(SERVICE, self.began)}", file=sys.stderr)
        return result

    def configure(self, text, name="slabd"):
        self.container.live(f"/etc/slabd/{name}.toml").write_text(text)

    # -- the service

    def start_service(self):
        self.container.must_run("systemctl", "start", SERVICE)

    def property(self, name, unit=SERVICE):
        return self.container.property(unit, name)

    def main_pid(self):
        return int(self.property("MainPID"))

    def signal(self, name, pid):
        self.container.must_run("kill", f"-{name}", pid)

    def log_has(self, text):
        """The log of this test."""
        return text in self.container.journal(SERVICE, self.began)

    # -- pause points, as in daemon_under_test.Daemon

    def arm(self, point):
        (self.container.live(PAUSE_DIRECTORY) / f"{point}.armed").touch()

    def wait_stopped(self, point):
        """The process, by its number in the container, that has stopped at an armed point."""
        def stopped():
            for path in self.container.live(PAUSE_DIRECTORY).glob(f"{point}.*"):
                ending = path.name.rsplit(".", 1)[1]
                if ending.isdigit() and self._state(ending) == "T":
                    return int(ending)
            return None
        return wait_until(stopped, f"a process stops at {point}")

    def _state(self, pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            content = self.container.live(f"/proc/{pid}/stat").read_text()
            return content[content.rindex(")") + 2]
        return None

    # -- clients

    def slab(self, *arguments, user=MEMBER, **options):
        return self.container.run("slab", *arguments, user=user, **options)

    def status(self, user=MEMBER, **options):
        command = self.slab("status", "--json", user=user, **options)
        self.assert_exit(command, 0)
        return command.json()

    def save_input(self, user=MEMBER):
        """An array in a user's home, its own file; returns what `zoom_arguments` makes of it."""
        array = np.random.default_rng(8).integers(0, 255, (32, 128, 256), dtype=np.uint8)
        home = self.homes / user
        np.save(home / "in.npy", array)
        os.chown(home / "in.npy", home.stat().st_uid, home.stat().st_gid)
        return array.repeat(2, 0).repeat(2, 1).repeat(2, 2)

    def zoom_arguments(self, *arguments):
        """2048 tiles."""
        return ["zoom", "in.npy", "--factor", "2", "--convention", "floor", "--tile-bytes", "4096", *arguments]

    def start_zoom(self, **options):
        """`slab run` of the member, from file to file in its home."""
        self.save_input()
        return self.container.start("slab", "run", *self.zoom_arguments("-o", "out.npy", "--json"), user=MEMBER,
                                    **options)

    def show(self, job, user=MEMBER, **options):
        command = self.slab("show", job, "--json", user=user, **options)
        self.assert_exit(command, 0)
        return command.json()

    def files(self):
        """What is in the member's home, without what useradd has put there."""
        return sorted(path.name for path in self.home.iterdir() if not path.name.startswith((".bash", ".profile")))

    def assert_exit(self, command, code):
        self.assertEqual(command.code, code,
                         f"{' '.join(command.arguments)}\nstdout: {command.out[-1500:]}\nstderr: {command.err[-1500:]}")
