"""Cancel takes effect at a tile's border: no worker dies of it, and everything comes back."""

import os
import signal
import unittest

import numpy as np

import slab
from jobs_under_test import slow_input
from slab_harness import DaemonTestCase
from started_command import EXIT_CANCELLED
from waiting import wait_until

TILES = 2000
MILLISECONDS = 5


class Cancel(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(test_kernels=True, workers=2)
        self.slabd = self.daemon.connect()

    def start_slow_job(self):
        job = self.slabd.submit("test_slow", slow_input(TILES), milliseconds=MILLISECONDS, tile_bytes=4096)
        wait_until(lambda: job.show()["tiles_done"] > 0, "the job runs")
        return job

    def test_a_running_job_ends_at_the_next_tiles_with_its_workers_alive(self):
        wait_until(lambda: len(self.daemon.worker_pids()) == 2, "both workers")
        before = self.daemon.worker_pids()
        job = self.start_slow_job()

        record = job.cancel()

        self.assertEqual((record["state"], record["outcome"]), ("ended", "cancelled"))
        self.assertLess(record["tiles_done"], TILES)
        self.assertEqual(self.daemon.worker_pids(), before)
        self.daemon.wait_until_nothing_is_held()

    def test_the_one_who_waits_is_told(self):
        job = self.start_slow_job()
        other = self.daemon.connect()

        other.request("cancel", job=job.id)

        with self.assertRaises(slab.Cancelled):
            job.wait()

    def test_cancelling_twice_or_after_the_end_changes_nothing(self):
        job = self.start_slow_job()
        first = job.cancel()

        try:
            second = job.cancel()
        except slab.SlabError as error:
            second = job.show()
            self.assertIn(error.kind, ("usage", "refused"))

        self.assertEqual(second["outcome"], first["outcome"])

    def test_ctrl_c_on_run_cancels_the_job_and_exits_with_130(self):
        np.save(self.directory / "in.npy", slow_input(TILES))
        command = self.daemon.start_slab("run", "test_slow", self.directory / "in.npy", "-o",
                                         self.directory / "out.npy", "--milliseconds", MILLISECONDS)
        wait_until(lambda: any(job["state"] == "running" for job in self.slabd.jobs()), "the job runs")

        command.signal(signal.SIGINT)
        command.finish()

        self.assert_exit(command, EXIT_CANCELLED)
        self.assertEqual(self.files(), ["in.npy"])
        # The signal may come before the answer to submit: then the end of the connection cancels, a moment later.
        wait_until(lambda: not self.slabd.jobs(), "the job has ended")
        self.assertEqual(max(self.slabd.jobs(all=True), key=lambda job: job["id"])["outcome"], "cancelled")
        self.daemon.wait_until_nothing_is_held()

    def test_the_death_of_run_cancels_the_job_and_leaves_no_litter(self):
        np.save(self.directory / "in.npy", slow_input(TILES))
        command = self.daemon.start_slab("run", "test_slow", self.directory / "in.npy", "-o",
                                         self.directory / "out.npy", "--milliseconds", MILLISECONDS)
        wait_until(lambda: any(job["state"] == "running" for job in self.slabd.jobs()), "the job runs")

        os.kill(command.pid, signal.SIGKILL)
        command.finish()

        wait_until(lambda: not self.slabd.jobs(), "the job ends with its client")
        self.assertEqual(self.files(), ["in.npy"])
        self.daemon.wait_until_nothing_is_held()


if __name__ == "__main__":
    unittest.main()
