"""No room: on the disk, in the volume. An answer with a reason, never a half-written file or a SIGBUS."""

import os
import shutil
import subprocess
import unittest

import numpy as np

from moving_phantom import Head, rigid
from build_tree import SLABD
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE, EXIT_FAILED, EXIT_REFUSED, start_command
from waiting import wait_until

MIB = 1 << 20


class DiskFull(DaemonTestCase):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0 or not shutil.which("mount"):
            self.skipTest("needs root, to mount a small file system")
        self.small_disk = self.directory / "disk"
        self.small_disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", self.small_disk],
                          capture_output=True, check=False).returncode != 0:
            self.skipTest("this place does not let root mount a tmpfs")
        self.addCleanup(subprocess.run, ["umount", "-l", self.small_disk], check=False)
        self.daemon = self.start_daemon()
        self.input = self.directory / "in.npy"
        np.save(self.input, np.zeros((MIB,), np.uint8))
        self.arguments = ["zoom", self.input, "-o", self.small_disk / "out.npy", "--factor", 8, "--convention", "floor"]

    def test_run_says_so_and_leaves_the_disk_as_it_was(self):
        command = self.daemon.slab("run", *self.arguments)

        self.assertIn(command.code, (EXIT_REFUSED, EXIT_FAILED), command.err)
        self.assertRegex(command.err, r"error: .*\nbecause: .*\ntry: ")
        self.assertEqual(list(self.small_disk.iterdir()), [])
        self.assertLess(shutil.disk_usage(self.small_disk).used, 64 * 1024)
        self.daemon.wait_until_nothing_is_held()

    def test_motion_whose_page_finds_no_room_is_told_on_the_terminal_all_the_same(self):
        head = Head(shape=(20, 22, 16), affine=np.diag([-4.0, 4.0, 4.0, 1.0]))
        series = self.directory / "series.npy"
        np.save(series, head.series([rigid([0.5 * i, 0, 0, 0, 0, 0], head.centre) for i in range(4)], noise=2.0))
        arguments = ["realign", series, "-o", self.directory / "moco.npy", "--voxel-size", 4, "--overwrite"]
        plain = self.daemon.slab("run", *arguments, "--motion-out", self.directory / "plain")
        self.assert_exit(plain, EXIT_DONE)
        pages = {path.suffix: -(-path.stat().st_size // 4096) for path in self.directory.glob("plain_desc*")}
        room = sum(pages.values()) - 1 + sum(-(-path.stat().st_size // 4096) for path in
                                             [*self.directory.glob("plain_mean*"), *self.directory.glob("plain_mask*")])
        self.assertGreater(pages[".png"], 1)
        subprocess.run(["mount", "-o", f"remount,size={room * 4096}", self.small_disk], check=True)

        command = self.daemon.slab("run", *arguments, "--motion-out", self.small_disk / "full")

        self.assert_exit(command, EXIT_REFUSED)
        self.assertIn("full_desc-confounds_timeseries.png", command.err)
        summary = plain.out[plain.out.index("framewise displacement"):plain.out.index("  in ")]
        self.assertIn(summary, command.out)
        self.assertTrue((self.small_disk / "full_desc-confounds_timeseries.tsv").exists())
        self.assertTrue((self.directory / "moco.npy").exists())

    def test_a_disk_with_room_again_takes_the_same_job(self):
        self.daemon.slab("run", *self.arguments)
        subprocess.run(["mount", "-o", "remount,size=16m", self.small_disk], check=True)

        self.assert_exit(self.daemon.slab("run", *self.arguments), EXIT_DONE)

        self.assertEqual(np.load(self.small_disk / "out.npy").shape, (8 * MIB,))


class VolumeFull(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(volume="64MiB")
        self.slabd = self.daemon.connect()

    def big(self, mib):
        """A kept job that holds so much: half as input while it runs, half as output until it is dropped."""
        return self.slabd.submit("zoom", np.zeros((mib // 2, MIB), np.uint8), factor=1, convention="floor")

    def test_a_job_without_room_is_queued_shows_why_and_runs_when_there_is(self):
        first = self.big(40)
        first.wait()

        second = self.big(56)
        wait_until(lambda: second.show()["state"] == "queued", "the second job is queued")
        shown = self.daemon.slab("show", second.id)
        first.drop()
        record = second.wait()

        self.assert_exit(shown, EXIT_DONE)
        self.assertRegex(shown.out, r"queued(.*\n)*.*\d.*[kMG]B")
        self.assertEqual(record["outcome"], "done")
        self.assertGreater(record["queued_s"], 0)
        second.drop()

    def test_a_queued_job_can_be_cancelled(self):
        first = self.big(40)
        first.wait()
        second = self.big(56)
        wait_until(lambda: second.show()["state"] == "queued", "the second job is queued")

        self.assertEqual(second.cancel()["outcome"], "cancelled")

        first.drop()
        self.daemon.wait_until_nothing_is_held()

    def test_a_small_job_passes_a_large_one_that_waits_for_room(self):
        first = self.big(40)
        first.wait()
        large = self.big(56)
        wait_until(lambda: large.show()["state"] == "queued", "the large job is queued")

        small = self.slabd.run("outer", np.arange(3), np.arange(4))

        self.assertEqual(small.shape, (3, 4))
        self.assertEqual(large.show()["state"], "queued")
        large.cancel()
        first.drop()

    def test_a_dev_shm_that_is_too_small_is_an_error_before_anything_starts(self):
        configuration = self.directory / "huge.toml"
        configuration.write_text('[volume]\nsize = "1000TB"\n')

        command = start_command([SLABD, "--config", configuration, "--socket", self.directory / "huge.sock",
                                 "--instance", f"huge-{os.getpid()}"]).finish()

        self.assertNotEqual(command.code, 0)
        self.assertRegex(command.err, r"error: .*\nbecause: .*\d.*\ntry: ")
        self.assertFalse(os.path.exists(f"/dev/shm/slabd.huge-{os.getpid()}"))


if __name__ == "__main__":
    unittest.main()
