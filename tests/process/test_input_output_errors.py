"""Disks that answer EIO: the job fails and says where, and a result that is whole in the volume is not lost."""

import errno
import filecmp
import os
import signal
import unittest

import numpy as np

from hand_loops import checkered, zoomed_by_round
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE, EXIT_FAILED
from waiting import wait_until

ZOOM = ["--factor", "2", "--convention", "round"]
STREAMS = ["--max-memory", "4MiB"]
INPUT_OUTPUT_ERROR = os.strerror(errno.EIO)


class InputOutputErrors(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.faults = self.directory / "test-faults"
        self.faults.mkdir()
        self.daemon = self.start_daemon(workers=2, environment={"SLABD_FAULT_DIR": str(self.faults)})
        self.slabd = self.daemon.connect()
        self.input, self.output = self.directory / "in.npy", self.directory / "out.npy"
        self.array = checkered((51, 203, 401))
        np.save(self.input, self.array)

    def break_at(self, point, error_number=errno.EIO):
        # As a whole or not at all: the mover may look while it is written.
        (self.faults / "new").write_text(str(error_number))
        (self.faults / "new").rename(self.faults / point)

    def mend(self, point):
        (self.faults / point).unlink()

    def run_zoom(self, output, *more):
        return self.daemon.slab("run", "zoom", self.input, "-o", output, *ZOOM, *more)

    def newest_job(self):
        return max(self.slabd.jobs(all=True), key=lambda job: job["id"])

    def assert_failed(self, command, what):
        self.assert_exit(command, EXIT_FAILED)
        self.assertRegex(command.err, rf"error: {what}.*\nbecause: .*{INPUT_OUTPUT_ERROR}")
        self.assertEqual(self.files(), ["in.npy"])
        record = self.newest_job()
        self.assertEqual(record["outcome"], "failed")
        return record

    def assert_fetchable(self, record):
        self.assertTrue(record["kept"])
        fetched, undisturbed = self.directory / "fetched.npy", self.directory / "undisturbed.npy"
        self.assert_exit(self.daemon.slab("fetch", record["id"], "-o", fetched), EXIT_DONE)
        self.assert_exit(self.run_zoom(undisturbed), EXIT_DONE)
        self.assertTrue(filecmp.cmp(fetched, undisturbed, shallow=False), "the fetched file differs")
        np.testing.assert_array_equal(np.load(fetched), zoomed_by_round(self.array, 2))
        self.assert_exit(self.daemon.slab("drop", record["id"]), EXIT_DONE)
        self.daemon.wait_until_nothing_is_held()

    def assert_works_again(self):
        self.daemon.wait_until_nothing_is_held()
        self.assert_exit(self.run_zoom(self.output), EXIT_DONE)
        np.testing.assert_array_equal(np.load(self.output), zoomed_by_round(self.array, 2))

    def test_a_write_error_fails_the_job_and_keeps_a_whole_result(self):
        self.break_at("mover-write")
        record = self.assert_failed(self.run_zoom(self.output), "the output")
        self.mend("mover-write")

        self.assert_fetchable(record)

    def test_a_write_error_of_a_streaming_job_leaves_no_file(self):
        self.break_at("mover-write")
        record = self.assert_failed(self.run_zoom(self.output, *STREAMS), "the output")
        self.mend("mover-write")

        self.assertFalse(record["kept"])
        self.assert_works_again()

    def test_a_write_error_midway_leaves_no_file_either(self):
        self.daemon.arm("mover-in-flush")
        command = self.daemon.start_slab("run", "zoom", self.input, "-o", self.output, *ZOOM, *STREAMS)
        mover = self.daemon.wait_stopped("mover-in-flush")
        self.break_at("mover-write")
        os.kill(mover, signal.SIGCONT)

        record = self.assert_failed(command.finish(), "the output")

        self.assertGreater(record["bytes_moved"], 0)
        self.mend("mover-write")
        self.assert_works_again()

    def test_the_output_of_a_streaming_job_that_was_submitted_is_empty_after_the_error(self):
        """`submit` creates the file at once; whoever reads it must see that it is none."""
        self.break_at("mover-write")
        command = self.daemon.slab("submit", "zoom", self.input, "-o", self.output, *ZOOM, *STREAMS, "--json")
        self.assert_exit(command, EXIT_DONE)
        wait_until(lambda: self.newest_job()["state"] == "ended", "the job ends")

        self.assertEqual(self.newest_job()["outcome"], "failed")
        self.assertEqual(self.output.stat().st_size, 0)
        self.mend("mover-write")
        self.daemon.wait_until_nothing_is_held()

    def test_a_read_error_fails_the_job_and_names_the_input(self):
        for more in ((), STREAMS):
            with self.subTest(more=more):
                self.break_at("mover-read")
                record = self.assert_failed(self.run_zoom(self.output, *more), "input 1")
                self.mend("mover-read")

                self.assertFalse(record["kept"])
                self.assert_works_again()
                self.output.unlink()

    def test_a_sync_that_fails_is_not_tried_again(self):
        """What fdatasync could not write is gone from the page cache: a second one would answer 0, and be wrong."""
        self.break_at("mover-sync")
        self.daemon.arm("mover-before-header")
        command = self.daemon.start_slab("run", "zoom", self.input, "-o", self.output, *ZOOM)
        mover = self.daemon.wait_stopped("mover-before-header")
        self.daemon.arm("mover-before-header")  # where a second try would stop
        os.kill(mover, signal.SIGCONT)

        record = self.assert_failed(command.finish(), "the output")

        self.assertTrue((self.daemon.pause_directory / "mover-before-header.armed").exists())
        (self.daemon.pause_directory / "mover-before-header.armed").unlink()
        self.mend("mover-sync")
        self.assert_fetchable(record)

    def test_a_sync_that_fails_leaves_no_file_of_a_streaming_job(self):
        self.break_at("mover-sync")
        record = self.assert_failed(self.run_zoom(self.output, *STREAMS), "the output")
        self.mend("mover-sync")

        self.assertFalse(record["kept"])
        self.assert_works_again()

    def test_other_jobs_and_the_daemon_live_on(self):
        pid = self.daemon.pid
        self.break_at("mover-write")
        self.run_zoom(self.output, *STREAMS)

        result = self.slabd.run("zoom", self.array[:5], factor=2, convention="round")

        np.testing.assert_array_equal(result, zoomed_by_round(self.array[:5], 2))
        self.assertEqual(self.daemon.pid, pid)
        self.mend("mover-write")


if __name__ == "__main__":
    unittest.main()
