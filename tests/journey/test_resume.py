"""The daemon is killed at a named point of a job, and the job goes on with the next one."""

import signal
import unittest

import numpy as np

import slab
from hand_loops import checkered, zoomed_by_round
from slab_harness import DaemonTestCase
from started_command import EXIT_CANCELLED, EXIT_DONE, EXIT_USAGE
from waiting import wait_until

POINTS = ("supervisor-after-admission", "mover-before-load", "worker-before-tile", "mover-in-flush",
          "mover-before-header")
SURVIVING = {"SLABD_RECONNECT": "60s"}


class KilledDaemon(DaemonTestCase):
    def setUp(self):
        super().setUp()
        array = checkered((48, 64, 96))
        self.input, self.output = self.directory / "in.npy", self.directory / "out.npy"
        np.save(self.input, array)
        self.expected = zoomed_by_round(array, 2)
        self.daemon = self.start_daemon(tile_bytes="16kB")

    def arguments(self):
        return ["zoom", self.input, "-o", self.output, "--factor", 2, "--convention", "round"]

    def interrupt(self, command_name, point, **options):
        """Starts a command whose job is at the point when the daemon is killed; the next daemon is there."""
        self.daemon.arm(point)
        command = self.daemon.start_slab(command_name, *self.arguments(), **options)
        self.daemon.wait_stopped(point)
        if command_name == "submit":
            command.finish()  # its answer does not wait for the process that is stopped
        self.daemon.kill()
        return command

    def assert_written(self):
        np.testing.assert_array_equal(np.load(self.output), self.expected)
        self.assertEqual(self.files(), ["in.npy", "out.npy"])


class Run(KilledDaemon):
    def test_it_survives_a_daemon_killed_at_every_point(self):
        for point in POINTS:
            with self.subTest(point=point):
                command = self.interrupt("run", point, environment=SURVIVING)

                self.daemon.start()
                command.finish()

                self.assert_exit(command, EXIT_DONE)
                self.assertIn("the daemon went away; waiting for it", command.err)
                self.assert_written()
                self.daemon.wait_until_nothing_is_held()
                self.output.unlink()

    def test_its_job_is_finished_by_resume_when_both_are_killed(self):
        self.interrupt("run", "mover-in-flush", environment=SURVIVING).kill()
        self.daemon.start()
        job = self.daemon.connect().jobs()[0]
        self.assertEqual(job["state"], "interrupted")

        command = self.daemon.slab("resume", job["id"])

        self.assert_exit(command, EXIT_DONE)
        self.assert_written()

    def test_ctrl_c_while_it_waits_for_the_daemon_leaves_no_file(self):
        command = self.interrupt("run", "worker-before-tile", environment=SURVIVING)

        command.signal(signal.SIGINT)
        command.finish()

        self.assert_exit(command, EXIT_CANCELLED)
        self.assertEqual(self.files(), ["in.npy"])


class Submitted(KilledDaemon):
    def interrupt_submitted(self, point="worker-before-tile"):
        self.interrupt("submit", point)
        self.daemon.start()
        return self.daemon.connect().jobs()[0]["id"]

    def test_resume_writes_on_in_the_same_file(self):
        for point in ("worker-before-tile", "mover-in-flush"):
            with self.subTest(point=point):
                job = self.interrupt_submitted(point)
                inode = self.output.stat().st_ino

                command = self.daemon.slab("resume", job)

                self.assert_exit(command, EXIT_DONE)
                self.assertEqual(self.output.stat().st_ino, inode)
                self.assert_written()
                self.output.unlink()

    def test_an_input_that_has_changed_is_refused_and_the_job_stays(self):
        job = self.interrupt_submitted()
        np.save(self.input, checkered((48, 64, 95)))

        command = self.daemon.slab("resume", job)

        self.assertNotEqual(command.code, EXIT_DONE)
        self.assertEqual(self.daemon.connect().request("show", job=job)[0]["job"]["state"], "interrupted")

    def test_an_output_that_is_gone_is_computed_again(self):
        job = self.interrupt_submitted("mover-in-flush")
        self.output.unlink()

        self.assert_exit(self.daemon.slab("resume", job), EXIT_DONE)

        self.assert_written()

    def test_ps_names_it_and_drop_gives_it_up(self):
        job = self.interrupt_submitted()
        self.assertRegex(self.daemon.slab("ps").out, r"interrupted")

        self.daemon.slab("drop", job)

        self.daemon.wait_until_nothing_is_held()
        self.assertNotIn("interrupted", self.daemon.slab("ps").out)

    def test_a_job_that_does_not_exist_is_a_usage_error(self):
        self.assert_exit(self.daemon.slab("resume", 999), EXIT_USAGE)


class Python(KilledDaemon):
    def test_wait_resumes_the_job(self):
        self.daemon.arm("worker-before-tile")
        with slab.Connection(self.daemon.socket, reconnect_for=60) as connection:
            job = connection.submit("zoom", np.load(self.input), out=self.output, factor=2, convention="round")
            self.daemon.wait_stopped("worker-before-tile")
            self.daemon.kill()
            self.daemon.start()

            job.wait()

            np.testing.assert_array_equal(job.result(), self.expected)

    def test_resume_by_id(self):
        self.interrupt("submit", "worker-before-tile").finish()
        self.daemon.start()
        connection = self.daemon.connect()

        job = connection.resume(connection.jobs()[0]["id"])

        np.testing.assert_array_equal(job.result(), self.expected)
        wait_until(lambda: self.daemon.held_bytes() == 0, "nothing is held")


if __name__ == "__main__":
    unittest.main()
