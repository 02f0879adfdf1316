"""Test cases with a slabd of their own.

    class Zoom(DaemonTestCase):
        def test_...(self):
            daemon = self.start_daemon(workers=2)
            daemon.arm("worker-before-tile")
            ...

Whatever a test does, its daemon is stopped at the end and has to leave nothing behind: that is part of every test.
"""

import contextlib
import pathlib
import shutil
import tempfile
import unittest

from daemon_under_test import Daemon


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
