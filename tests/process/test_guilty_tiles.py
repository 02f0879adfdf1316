"""A tile that crashes or hangs its workers fails its own job, by name, and nobody else's."""

import unittest

import numpy as np

import slab
from jobs_under_test import slow_input
from daemon_status import worker_pids_by_cpu
from slab_harness import DaemonTestCase
from started_command import EXIT_FAILED
from waiting import wait_until


class GuiltyTiles(DaemonTestCase):
    def assert_workers_are_back(self, slabd, count=2):
        wait_until(lambda: len(worker_pids_by_cpu(slabd.status())) == count, "every worker is replaced")

    def test_a_crashing_tile_fails_its_job_after_three_workers_and_is_named(self):
        daemon = self.start_daemon(test_kernels=True, workers=2)
        slabd = daemon.connect()
        array = slow_input(tiles=32)

        job = slabd.submit("test_crash", array, tile=array.shape[1] * 10 + 3, tile_bytes=4096)
        with self.assertRaises(slab.JobFailed) as caught:
            job.wait()

        self.assertEqual(job.show()["workers_lost"], 3)
        error = caught.exception
        self.assertRegex(error.what + " " + error.because, r"tile.*\b10\b")  # its row: the tile's box begins there
        self.assert_workers_are_back(slabd)
        daemon.wait_until_nothing_is_held()

    def test_another_job_finishes_untouched_beside_a_crashing_one(self):
        daemon = self.start_daemon(test_kernels=True, workers=2)
        slabd = daemon.connect()
        array = slow_input(tiles=48)
        other = slabd.submit("test_slow", array, milliseconds=10, tile_bytes=4096)
        wait_until(lambda: other.show()["state"] == "running", "the other job runs")

        with self.assertRaises(slab.JobFailed):
            slabd.run("test_crash", array, tile=0, tile_bytes=4096)
        still_running = other.show()["state"] == "running"
        other.wait()

        self.assertTrue(still_running, "the jobs did not overlap: the test shows nothing")
        np.testing.assert_array_equal(other.result(), array)
        other.drop()

    def test_a_hanging_worker_is_killed_past_the_deadline(self):
        daemon = self.start_daemon(test_kernels=True, workers=2, tile_deadline="300ms")
        slabd = daemon.connect()

        job = slabd.submit("test_hang", slow_input(tiles=4), tile_bytes=4096)
        with self.assertRaises(slab.JobFailed) as caught:
            job.wait()

        self.assertGreaterEqual(job.show()["workers_lost"], 3)
        self.assertIn("tile", caught.exception.what + caught.exception.because)
        self.assert_workers_are_back(slabd)
        daemon.wait_until_nothing_is_held()

    def test_a_slow_tile_within_the_deadline_is_left_alone(self):
        daemon = self.start_daemon(test_kernels=True, workers=2, tile_deadline="5s")
        array = slow_input(tiles=2)

        job = daemon.connect().submit("test_slow", array, milliseconds=400, tile_bytes=4096)
        record = job.wait()

        self.assertEqual((record["workers_lost"], record["tiles_repeated"]), (0, 0))
        job.drop()

    def test_the_command_line_says_which_tile_and_exits_with_1(self):
        daemon = self.start_daemon(test_kernels=True, workers=1)
        np.save(self.directory / "in.npy", slow_input(tiles=8))

        command = daemon.slab("run", "test_crash", self.directory / "in.npy", "-o", self.directory / "out.npy",
                              "--tile", 0)

        self.assert_exit(command, EXIT_FAILED)
        self.assertRegex(command.err, r"error: .*tile 0\b")
        self.assertEqual(self.files(), ["in.npy"])


if __name__ == "__main__":
    unittest.main()
