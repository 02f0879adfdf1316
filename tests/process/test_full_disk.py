"""A disk that fills up: midway, where space cannot be reserved, and before anything is written, where it can."""

import filecmp
import os
import signal
import unittest

import numpy as np

from hand_loops import checkered, zoomed_by_round
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE, EXIT_FAILED, EXIT_REFUSED
from waiting import wait_until
from small_disk import SmallDisk, why_not_here

MIB = 1 << 20
ZOOM = ["--factor", "2", "--convention", "round"]
SIZE = r"\d[\d.]* ?(B|bytes|[kKMG]i?B)"
BOTH_NUMBERS = rf"needs (?!0 ){SIZE}( more)?, {SIZE} are free"
STREAMS = ["--max-memory", "4MiB"]


@unittest.skipIf(why_not_here(), why_not_here())
class FullDisk(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(workers=2)
        self.slabd = self.daemon.connect()
        self.input = self.directory / "in.npy"
        self.array = checkered((51, 203, 401))
        np.save(self.input, self.array)  # 4.2 MB, of which zoom makes 33.2 MB
        self.undisturbed = self.directory / "undisturbed.npy"

    def disk(self, kind, size_bytes=64 * MIB):
        disk = SmallDisk(self.directory, kind, size_bytes)
        self.addCleanup(disk.__exit__)
        return disk.__enter__()

    def run_zoom(self, output, *more):
        return self.daemon.slab("run", "zoom", self.input, "-o", output, *ZOOM, *more)

    def start_zoom(self, output, *more):
        return self.daemon.start_slab("run", "zoom", self.input, "-o", output, *ZOOM, "--json", *more)

    def job_that_is(self, state):
        def look():
            found = [job for job in self.slabd.jobs(all=True) if job["state"] == state]
            return found[0] if found else None
        return wait_until(look, f"a job is {state}")

    def shown(self, job):
        command = self.daemon.slab("show", job["id"], "--json")
        self.assert_exit(command, EXIT_DONE)
        record = command.json()
        return record.get("job", record)

    def assert_same_as_undisturbed(self, path):
        self.assert_exit(self.run_zoom(self.undisturbed), EXIT_DONE)
        self.assertTrue(filecmp.cmp(self.undisturbed, path, shallow=False), "the files differ")
        np.testing.assert_array_equal(np.load(path), zoomed_by_round(self.array, 2))

    def start_and_fill(self, disk, *more, point="mover-in-flush"):
        """The job is held still, by default after its first written piece, and another writer takes what is left."""
        self.daemon.arm(point)
        command = self.start_zoom(disk.path / "out.npy", *more)
        mover = self.daemon.wait_stopped(point)
        disk.fill()
        return command, mover

    def test_a_streaming_job_waits_says_why_and_goes_on_by_itself_when_there_is_space(self):
        disk = self.disk("ext2")
        command, mover = self.start_and_fill(disk, *STREAMS)
        os.kill(mover, signal.SIGCONT)

        record = self.shown(self.job_that_is("waiting_for_space"))
        self.assertRegex(record["reason"], BOTH_NUMBERS)
        self.assertLess(record["bands_done"], record["bands"])
        text = self.daemon.slab("show", record["id"]).out
        self.assertRegex(text, "waiting_for_space|waits for space")
        disk.free()
        command.finish()

        self.assert_exit(command, EXIT_DONE)
        self.assert_same_as_undisturbed(disk.path / "out.npy")
        self.assertEqual(os.listdir(disk.path), ["out.npy"])
        self.daemon.wait_until_nothing_is_held()

    def test_space_that_comes_in_small_parts_is_used_as_it_comes(self):
        disk = self.disk("ext2")
        command, mover = self.start_and_fill(disk, *STREAMS)
        os.kill(mover, signal.SIGCONT)

        for part in range(2):
            before = self.job_that_is("waiting_for_space")["bytes_moved"]
            os.truncate(disk.filler, disk.filler.stat().st_size - 8 * MIB)
            wait_until(lambda: self.newest_job()["bytes_moved"] > before + 4 * MIB, f"part {part} is used")
        self.job_that_is("waiting_for_space")
        disk.free()
        command.finish()

        self.assert_exit(command, EXIT_DONE)
        self.assert_same_as_undisturbed(disk.path / "out.npy")

    def newest_job(self):
        return max(self.slabd.jobs(all=True), key=lambda job: job["id"])

    def test_other_jobs_go_on_while_one_waits_for_space(self):
        disk = self.disk("ext2")
        command, mover = self.start_and_fill(disk, *STREAMS)
        os.kill(mover, signal.SIGCONT)
        self.job_that_is("waiting_for_space")

        self.assert_same_as_undisturbed(self.undisturbed)

        self.assertEqual(self.job_that_is("waiting_for_space")["state"], "waiting_for_space")
        disk.free()
        self.assert_exit(command.finish(), EXIT_DONE)

    def test_a_job_that_waits_for_space_can_be_cancelled_and_gives_back_what_it_took(self):
        disk = self.disk("ext2")
        command, mover = self.start_and_fill(disk, *STREAMS)
        os.kill(mover, signal.SIGCONT)
        self.job_that_is("waiting_for_space")

        command.signal(signal.SIGINT)
        command.finish()

        self.assertEqual(command.code, 130, command.err)
        self.assertEqual(os.listdir(disk.path), [disk.filler.name])
        self.daemon.wait_until_nothing_is_held()

    def test_a_mover_that_dies_on_a_full_disk_loses_nothing_that_was_written(self):
        disk = self.disk("ext2")
        command, mover = self.start_and_fill(disk, *STREAMS)
        os.kill(mover, signal.SIGCONT)
        waiting = self.job_that_is("waiting_for_space")
        movers = self.daemon.processes("mover")
        os.kill(movers[f"slabd: mover {waiting['id']}"], signal.SIGKILL)
        wait_until(lambda: set(self.daemon.processes("mover").values()) - set(movers.values()), "a new mover")
        self.job_that_is("waiting_for_space")

        disk.free()
        command.finish()

        self.assert_exit(command, EXIT_DONE)
        self.assert_same_as_undisturbed(disk.path / "out.npy")

    def test_a_result_that_is_whole_in_the_volume_is_kept_and_fetched_elsewhere(self):
        disk = self.disk("ext2")
        command, mover = self.start_and_fill(disk, point="mover-before-flush")
        os.kill(mover, signal.SIGCONT)
        command.finish()

        self.assert_exit(command, EXIT_FAILED)
        record = self.newest_job()
        self.assertEqual((record["outcome"], record["kept"]), ("failed", True))
        self.assertRegex(record["error"]["what"], "full")
        self.assertRegex(record["error"]["because"], BOTH_NUMBERS)
        self.assertEqual(os.listdir(disk.path), [disk.filler.name])
        elsewhere = self.directory / "elsewhere.npy"
        self.assert_exit(self.daemon.slab("fetch", record["id"], "-o", elsewhere), EXIT_DONE)
        self.assert_same_as_undisturbed(elsewhere)
        self.assert_exit(self.daemon.slab("drop", record["id"]), EXIT_DONE)
        self.daemon.wait_until_nothing_is_held()

    def test_a_disk_that_fills_up_before_the_header_costs_nothing(self):
        for more in ((), STREAMS):
            with self.subTest(more=more):
                with SmallDisk(self.directory, "ext2", 64 * MIB) as disk:
                    command, mover = self.start_and_fill(disk, *more, point="mover-before-header")
                    os.kill(mover, signal.SIGCONT)
                    command.finish()

                    self.assert_exit(command, EXIT_DONE)
                    self.assert_same_as_undisturbed(disk.path / "out.npy")
                    self.undisturbed.unlink()

    def test_too_little_space_is_a_refusal_with_both_numbers_and_leaves_nothing(self):
        for kind in ("ext4", "ext2"):
            for more in ((), STREAMS):
                with self.subTest(kind, more=more):
                    with SmallDisk(self.directory, kind, 64 * MIB) as disk:
                        disk.fill(leaving=20 * MIB)
                        free = disk.free_bytes()

                        command = self.run_zoom(disk.path / "out.npy", *more)

                        self.assert_exit(command, EXIT_REFUSED)
                        self.assertRegex(command.err, rf"error: .*\nbecause: .*{BOTH_NUMBERS}.*\ntry: ")
                        self.assertEqual(os.listdir(disk.path), [disk.filler.name])
                        self.assertGreaterEqual(disk.free_bytes(), free)
        self.daemon.wait_until_nothing_is_held()

    def test_space_that_was_reserved_cannot_be_taken_by_another_writer(self):
        disk = self.disk("ext4")
        command, mover = self.start_and_fill(disk, *STREAMS)
        os.kill(mover, signal.SIGCONT)
        command.finish()

        self.assert_exit(command, EXIT_DONE)
        self.assert_same_as_undisturbed(disk.path / "out.npy")


if __name__ == "__main__":
    unittest.main()
