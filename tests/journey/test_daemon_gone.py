"""The daemon is killed while a client waits; and configurations that it does not start with."""

import unittest

import numpy as np

import slab
from build_tree import SLABD
from process_table import open_descriptors
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE, EXIT_INTERRUPTED, EXIT_USAGE, start_command
from waiting import wait_until


class DaemonKilled(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(test_kernels=True)
        self.slabd = self.daemon.connect()
        self.arguments = self.slow_arguments()

    def slow_arguments(self):
        """A job of 2000 tiles of 5 ms, from file to file."""
        np.save(self.directory / "slow.npy", np.zeros((2000, 512)))
        return ["test_slow", self.directory / "slow.npy", "-o", self.directory / "out.npy", "--milliseconds", 5,
                "--tile-bytes", "4kB"]

    def start_running(self, *command):
        command = self.daemon.start_slab(*command)
        wait_until(lambda: any(job["state"] == "running" for job in self.slabd.jobs()), "the job runs")
        return command

    def test_run_exits_with_5_says_so_and_leaves_no_file(self):
        command = self.start_running("run", *self.arguments)

        self.daemon.kill()
        command.finish()

        self.assert_exit(command, EXIT_INTERRUPTED)
        self.assertRegex(command.err, "error: ")
        self.assertEqual(self.files(), ["slow.npy"])

    def test_wait_exits_with_5(self):
        self.start_running("submit", *self.arguments).finish()
        job = self.slabd.jobs()[0]["id"]
        descriptors = open_descriptors(self.daemon.pid)
        command = self.daemon.start_slab("wait", job)
        wait_until(lambda: open_descriptors(self.daemon.pid) > descriptors, "the client is connected")

        self.daemon.kill()
        command.finish()

        self.assert_exit(command, EXIT_INTERRUPTED)
        with self.assertRaises(ValueError):
            np.load(self.directory / "out.npy")

    def test_python_raises_interrupted(self):
        job = self.slabd.submit("test_slow", np.zeros((2000, 512)), milliseconds=5, tile_bytes=4096)
        wait_until(lambda: job.show()["state"] == "running", "the job runs")

        self.daemon.kill()

        with self.assertRaises(slab.Interrupted):
            job.wait()

    def test_the_next_daemon_takes_the_same_job(self):
        command = self.start_running("run", *self.arguments)
        self.daemon.kill()
        command.finish()

        self.daemon.start()

        [interrupted] = self.daemon.slab("ps", "--json").json()["jobs"]
        self.assertEqual(interrupted["state"], "interrupted")
        self.assert_exit(self.daemon.slab("drop", interrupted["id"]), EXIT_DONE)
        self.assertEqual(self.daemon.held_bytes(), 0)
        np.save(self.directory / "slow.npy", np.ones((4, 512)))
        self.assert_exit(self.daemon.slab("run", *self.arguments), EXIT_DONE)
        self.assertEqual(np.load(self.directory / "out.npy").sum(), 4 * 512)


class BadConfiguration(DaemonTestCase):
    def assert_not_started(self, text, *patterns):
        configuration = self.directory / "bad.toml"
        configuration.write_text(text)

        command = start_command([SLABD, "--config", configuration, "--socket", self.directory / "s",
                                 "--instance", "bad-configuration"]).finish()

        self.assert_exit(command, EXIT_USAGE)
        self.assertRegex(command.err, "error: ")
        for pattern in patterns:
            self.assertRegex(command.err, pattern)
        self.assertFalse((self.directory / "s").exists())

    def test_an_unknown_key_is_named_with_its_line_and_the_nearest_key(self):
        self.assert_not_started('[volume]\nsize = "64MiB"\nhuge_pags = "try"\n', "bad.toml, line 3", "huge_pags",
                                r"volume\.huge_pages")

    def test_an_unknown_table_is_an_error(self):
        self.assert_not_started('[volum]\nsize = "64MiB"\n', "line 2", r"volume\.size")

    def test_values_of_the_wrong_type_or_range_are_errors_with_their_line(self):
        for text in ('[volume]\nsize = 5\n', '[volume]\nsize = "many"\n', '[workers]\ncount = -1\n',
                     '[workers]\ntile_deadline = "soon"\n', '[socket]\nmode = "0999"\n',
                     '[volume]\nhuge_pages = true\n',
                     '[tiles]\nbytes = "0"\n', '[attach]\nallow = "all"\n', '[log]\nlevel = "loud"\n'):
            with self.subTest(text=text):
                self.assert_not_started(text, "line 2")

    def test_a_file_that_is_no_toml_is_an_error_with_its_line(self):
        self.assert_not_started('[volume]\nsize = "64MiB"\nthis is no toml\n', "line 3")

    def test_cpus_that_do_not_exist_are_an_error(self):
        self.assert_not_started('[workers]\ncpus = "0,100000"\n', "100000")


if __name__ == "__main__":
    unittest.main()
