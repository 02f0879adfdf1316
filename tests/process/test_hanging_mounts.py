"""A file system that stops answering holds up its own job and nothing else."""

import os
import signal
import statistics
import threading
import time
import unittest

import numpy as np

from hand_loops import checkered, zoomed_by_round
from hanging_fuse import HangingFuse, why_not_here
from process_table import process_state
from slab_harness import DaemonTestCase
from started_command import EXIT_CANCELLED, EXIT_DONE, EXIT_REFUSED
from waiting import wait_until

ZOOM = ["--factor", "2", "--convention", "round"]
STREAMS = ["--max-memory", "4MiB"]
# "Within a few seconds", on a machine that others use, too.
FEW_SECONDS = 10.0


@unittest.skipIf(why_not_here(), why_not_here())
class HangingMounts(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(workers=2)
        self.slabd = self.daemon.connect()
        self.array = checkered((51, 203, 401))
        self.input = self.directory / "in.npy"
        np.save(self.input, self.array)

    def mount(self, hang=()):
        """With its end, all that hangs is answered: before the daemon of this test is stopped and checked."""
        mount = HangingFuse(hang=hang)
        mount.__enter__()
        self.addCleanup(mount.__exit__)
        return mount

    def start_zoom(self, source, output, *more):
        return self.daemon.start_slab("run", "zoom", source, "-o", output, *ZOOM, *more)

    def newest_job(self):
        return max(self.slabd.jobs(all=True), key=lambda job: job["id"])

    def small_job_s(self):
        start = time.monotonic()
        result = self.slabd.run("zoom", self.array[:3], factor=2, convention="round")
        seconds = time.monotonic() - start
        np.testing.assert_array_equal(result, zoomed_by_round(self.array[:3], 2))
        return seconds

    def median_small_job_s(self):
        return statistics.median(self.small_job_s() for _ in range(15))

    def assert_others_go_on(self, lone_s):
        self.assertLess(self.median_small_job_s(), 3 * lone_s + 0.05)
        output = self.directory / "other.npy"
        self.assert_exit(self.daemon.slab("run", "zoom", self.input, "-o", output, *ZOOM, *STREAMS), EXIT_DONE)
        np.testing.assert_array_equal(np.load(output), zoomed_by_round(self.array, 2))
        output.unlink()

    def hang_in_output(self, mount, *more):
        """A job whose writes hang."""
        mount.hang("write")
        command = self.start_zoom(self.input, mount.path / "out.npy", *more)
        mount.wait_until_hung("write")
        return command

    def hang_in_input(self, mount, *more):
        """A job whose reads hang. Raw bytes: of a .npy file the client reads the header itself, and would hang."""
        source = mount.path / "in.raw"
        source.write_bytes(self.array.tobytes())
        mount.hang("read")
        shape = ",".join(map(str, self.array.shape))
        command = self.start_zoom(source, self.directory / "out.npy", "--input-dtype", "u1", "--input-shape", shape,
                                  *more)
        mount.wait_until_hung("read")
        return command

    def test_an_output_that_hangs_holds_up_its_own_job_only(self):
        lone_s = self.median_small_job_s()
        for more in ((), STREAMS):
            with self.subTest(more=more):
                mount = self.mount()
                command = self.hang_in_output(mount, *more)

                self.assert_others_go_on(lone_s)

                self.assertIsNone(self.newest_of_command_outcome(mount))
                mount.release()
                self.assert_exit(command.finish(), EXIT_DONE)
                np.testing.assert_array_equal(np.load(mount.path / "out.npy"), zoomed_by_round(self.array, 2))

    def newest_of_command_outcome(self, mount):
        """Of the job that still lives: it has none."""
        living = self.slabd.jobs()
        self.assertEqual(len(living), 1, f"the job that hangs at {mount.path}")
        return living[0]["outcome"]

    def test_an_input_that_hangs_holds_up_its_own_job_only(self):
        lone_s = self.median_small_job_s()
        for more in ((), STREAMS):
            with self.subTest(more=more):
                mount = self.mount()
                command = self.hang_in_input(mount, *more)

                self.assert_others_go_on(lone_s)

                mount.release()
                self.assert_exit(command.finish(), EXIT_DONE)
                np.testing.assert_array_equal(np.load(self.directory / "out.npy"), zoomed_by_round(self.array, 2))
                (self.directory / "out.npy").unlink()

    def cancel_s(self):
        """From the order to the job's end. Its command may hang longer: it has the file open."""
        job = self.slabd.jobs()[0]["id"]
        start = time.monotonic()
        answers = []
        asking = threading.Thread(target=lambda: answers.append(self.daemon.slab("cancel", job)))
        asking.start()
        wait_until(lambda: not self.slabd.jobs(), "the hung job is cancelled", 60)
        seconds = time.monotonic() - start
        asking.join()
        self.assertEqual(answers[0].code in (EXIT_DONE, EXIT_CANCELLED), True, answers[0].err)
        self.assertEqual(self.newest_job()["outcome"], "cancelled")
        return seconds

    def test_a_job_whose_output_hangs_is_cancelled_within_seconds(self):
        mount = self.mount()
        command = self.hang_in_output(mount, *STREAMS)

        self.assertLess(self.cancel_s(), FEW_SECONDS)

        lone_s = self.median_small_job_s()
        self.assertLess(lone_s, 1)
        mount.release()
        command.finish()
        self.assertEqual(command.code, EXIT_CANCELLED, command.err)
        self.daemon.wait_until_nothing_is_held()
        self.assertEqual([name for name in os.listdir(mount.path) if name != "data"], [])

    def test_a_job_whose_input_hangs_is_cancelled_within_seconds(self):
        mount = self.mount()
        command = self.hang_in_input(mount, *STREAMS)

        self.assertLess(self.cancel_s(), FEW_SECONDS)

        mount.release()
        command.finish()
        self.assertEqual(command.code, EXIT_CANCELLED, command.err)
        self.daemon.wait_until_nothing_is_held()

    def test_a_fetch_that_hangs_is_given_up_within_seconds_of_its_command(self):
        kept = self.slabd.submit("zoom", self.array, factor=2, convention="round")
        kept.wait()
        mount = self.mount(hang={"write"})
        command = self.daemon.start_slab("fetch", kept.id, "-o", mount.path / "copy.npy")
        mount.wait_until_hung("write")
        self.assert_exit(self.daemon.slab("drop", kept.id), EXIT_REFUSED)

        command.signal(signal.SIGKILL)
        start = time.monotonic()
        elsewhere = self.directory / "copy.npy"
        wait_until(lambda: self.daemon.slab("fetch", kept.id, "-o", elsewhere).code == EXIT_DONE,
                   "the result can be fetched elsewhere", 60)
        self.assertLess(time.monotonic() - start, FEW_SECONDS)

        np.testing.assert_array_equal(np.load(elsewhere), zoomed_by_round(self.array, 2))
        kept.drop()
        mount.release()
        command.finish()
        self.daemon.wait_until_nothing_is_held()

    def test_a_sync_that_hangs_holds_up_its_own_job_only(self):
        lone_s = self.median_small_job_s()
        mount = self.mount(hang={"fsync"})
        command = self.start_zoom(self.input, mount.path / "out.npy")
        mount.wait_until_hung("fsync")

        self.assert_others_go_on(lone_s)

        mount.release()
        self.assert_exit(command.finish(), EXIT_DONE)

    def test_the_daemon_stops_while_a_mount_hangs(self):
        """Its children wait in the kernel for the mount: they are killed, and end with what they wait for."""
        mount = self.mount()
        command = self.hang_in_output(mount, *STREAMS)

        os.kill(self.daemon.pid, signal.SIGTERM)
        wait_until(lambda: process_state(self.daemon.pid) == "Z", "the daemon stops", 30)
        mount.release()

        command.finish()
        self.assertNotEqual(command.code, EXIT_DONE)


if __name__ == "__main__":
    unittest.main()
