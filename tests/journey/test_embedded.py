"""Without a daemon: the first command that a newcomer types works, and leaves nothing behind."""

import os
import pathlib
import tempfile
import unittest

import numpy as np

from hand_loops import checkered, zoomed_by_round
from build_tree import SLAB, SLABD
from process_table import processes_of_session
from started_command import EXIT_CANCELLED, EXIT_DONE, EXIT_NO_DAEMON, start_command, start_python
from waiting import wait_until

ZOOM = ["--factor", "2", "--convention", "round"]


@unittest.skipIf(os.path.exists("/run/slabd/slabd.sock"), "a system daemon runs here")
class Embedded(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="slab-test-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        # The real program by way of a script that leaves its pid, which is the number of the daemon's session too.
        self.pid_file = self.directory / "slabd.pid"
        program = self.directory / "slabd"
        program.write_text(f"#!/bin/sh\necho $$ >> {self.pid_file}\nexec {SLABD} \"$@\"\n")
        program.chmod(0o755)
        self.environment = {"SLABD_PROGRAM": str(program)}
        self.shared_memory_before = set(pathlib.Path("/dev/shm").glob("slabd.*"))
        self.input, self.output = self.directory / "in.npy", self.directory / "out.npy"
        self.array = checkered((20, 30, 40))
        np.save(self.input, self.array)

    def start(self, *arguments):
        return start_command([SLAB, *arguments], environment=self.environment)

    def session(self):
        """The private daemon's session; it was started once."""
        pids = self.pid_file.read_text().split()
        self.assertEqual(len(pids), 1)
        return int(pids[0])

    def assert_nothing_is_left(self):
        session = self.session()
        wait_until(lambda: not processes_of_session(session), "the private daemon and its children end", 10)
        own = [path for path in set(pathlib.Path("/dev/shm").glob("slabd.*")) - self.shared_memory_before
               if not path.name.startswith("slabd.test-")]  # other tests' daemons may run beside this one
        self.assertEqual(own, [])

    def test_run_works_and_leaves_the_file_alone_behind(self):
        command = self.start("run", "zoom", self.input, "-o", self.output, *ZOOM).finish()

        self.assertEqual(command.code, EXIT_DONE, command.err)
        np.testing.assert_array_equal(np.load(self.output), zoomed_by_round(self.array, 2))
        self.assert_nothing_is_left()

    def test_run_killed_leaves_neither_daemon_nor_litter(self):
        command = self.start("run", "zoom", self.input, "-o", self.output, "--factor", "12", "--convention", "round")
        wait_until(self.pid_file.exists, "the private daemon starts")

        command.kill()

        self.assert_nothing_is_left()
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()
                                if path.suffix == ".npy" or ".part" in path.name or ".slab-" in path.name),
                         ["in.npy"] if not self.output.exists() else ["in.npy", "out.npy"])

    def test_ctrl_c_ends_both(self):
        command = self.start("run", "zoom", self.input, "-o", self.output, "--factor", "14", "--convention", "round")
        wait_until(self.pid_file.exists, "the private daemon starts")

        command.signal(2)
        command.finish()

        self.assertIn(command.code, (EXIT_CANCELLED, EXIT_DONE), command.err)  # done: it was faster than the signal
        self.assertEqual(self.output.exists(), command.code == EXIT_DONE)
        self.assert_nothing_is_left()

    def test_daemon_forbids_it(self):
        command = self.start("run", "zoom", self.input, "-o", self.output, "--daemon", *ZOOM).finish()

        self.assertEqual(command.code, EXIT_NO_DAEMON, command.err)
        self.assertIn("error: ", command.err)
        self.assertFalse(self.pid_file.exists())

    def test_keep_needs_a_daemon_and_says_so(self):
        command = self.start("run", "zoom", self.input, "--keep", *ZOOM).finish()

        self.assertEqual(command.code, EXIT_NO_DAEMON, command.err)
        self.assertRegex(command.err, "error: (.*\n)*.*keep")
        self.assertFalse(self.pid_file.exists())

    def test_python_runs_on_a_private_daemon_and_its_view_outlives_it(self):
        program = start_python(
            "import sys, numpy, slab\n"
            "a = numpy.load(sys.argv[1])\n"
            "b = slab.run('zoom', a, factor=2, convention='round')\n"
            "c = slab.run('zoom', b, factor=1, convention='floor')\n"
            "slab.shared_connection.process_connection().close()\n"
            "numpy.save(sys.argv[2], c)\n",
            str(self.input), str(self.output), environment=self.environment).finish()

        self.assertEqual(program.code, 0, program.err)
        np.testing.assert_array_equal(np.load(self.output), zoomed_by_round(self.array, 2))
        self.assert_nothing_is_left()

    def test_python_that_is_killed_leaves_no_daemon(self):
        ready = self.directory / "ready"
        program = start_python("import sys, signal, slab; slab.status(); open(sys.argv[1], 'w'); signal.pause()",
                               str(ready), environment=self.environment)
        wait_until(ready.exists, "the private daemon answers")

        program.kill()

        self.assert_nothing_is_left()


if __name__ == "__main__":
    unittest.main()
