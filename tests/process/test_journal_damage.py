"""A journal with flipped bits, of another version, on a full disk, that cannot be written, whose writer is killed."""

import contextlib
import os
import random
import signal
import subprocess
import unittest

import numpy as np

from hand_loops import checkered, zoomed_by_round
from journal_reading import frames_of, head_of_version, jobs_of
from other_users import needs_root
from process_table import processes_of_session
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE
from waiting import wait_until

JOBS = 4


class JournalDamage(DaemonTestCase):
    def setUp(self):
        super().setUp()
        array = checkered((24, 16, 32))
        self.input = self.directory / "in.npy"
        np.save(self.input, array)
        self.expected = zoomed_by_round(array, 2)
        self.outputs = 0

    def run_job(self, daemon, command="submit", *more):
        """A job whose output has its name: (its JOB when it has ended, its path)."""
        self.outputs += 1
        output = self.directory / f"out{self.outputs}.npy"
        finished = daemon.slab(command, "zoom", self.input, "-o", output, "--factor", 2, "--convention", "round", *more)
        self.assert_exit(finished, EXIT_DONE)
        with daemon.connect() as connection:
            job = max(connection.jobs(all=True), key=lambda job: job["id"])
            self.assert_exit(daemon.slab("wait", job["id"]), EXIT_DONE)
            job = connection.request("show", job=job["id"])[0]["job"]
        np.testing.assert_array_equal(np.load(output), self.expected)
        return job

    def told(self, daemon):
        with daemon.connect() as connection:
            return {job["id"]: job["outcome"] or job["state"] for job in connection.jobs(all=True)}

    def journal_of_some_jobs(self, daemon):
        """Its bytes after JOBS jobs and a restart's compaction; the daemon does not run any more."""
        for _ in range(JOBS):
            self.run_job(daemon)
        self.assertEqual(daemon.stop(), [])
        return (daemon.journal / "journal").read_bytes()

    def assert_does_not_start(self, daemon, *texts):
        with self.assertRaises(AssertionError) as caught:
            daemon.start()
        for text in texts:
            self.assertRegex(str(caught.exception), text)
        wait_until(lambda: not processes_of_session(daemon.pid), "nothing of it runs")


class FlippedBits(JournalDamage):
    def test_the_good_prefix_is_used_and_a_warning_names_what_was_lost(self):
        daemon = self.start_daemon()
        good = self.journal_of_some_jobs(daemon)
        ended_second = [place for place, payload in frames_of(good) if b'"ended"' in payload][1]
        damaged = bytearray(good)
        damaged[ended_second + 40] ^= 0x10
        (daemon.journal / "journal").write_bytes(damaged)
        before = len(daemon.log_text())

        daemon.start()

        told = self.told(daemon)
        self.assertEqual(told[1], "done")
        self.assertEqual(told[2], "interrupted")  # its end was lost
        self.assertLessEqual(set(told), set(range(1, JOBS + 1)))
        log = daemon.log_text()[before:]
        self.assertRegex(log, r" warning journal: .*the journal is damaged")
        self.assertRegex(log, rf"of the jobs 3, {JOBS}|of the jobs 2, 3, {JOBS}")
        copies = list(daemon.journal.glob("journal.damaged-*"))
        self.assertEqual([copy.read_bytes() for copy in copies], [bytes(damaged)])
        self.assertIn(copies[0].name, log)

    def test_a_number_is_not_given_again_when_its_job_was_lost(self):
        daemon = self.start_daemon()
        good = self.journal_of_some_jobs(daemon)
        damaged = bytearray(good)
        damaged[frames_of(good)[2][0] + 20] ^= 1
        (daemon.journal / "journal").write_bytes(damaged)

        daemon.start()

        self.assertGreater(self.run_job(daemon)["id"], JOBS)

    def test_wherever_bits_flip_the_daemon_starts_or_says_why_and_tells_nothing_wrong(self):
        daemon = self.start_daemon()
        good = self.journal_of_some_jobs(daemon)
        for seed in range(15):
            rng = random.Random(seed)
            damaged = bytearray(good)
            for _ in range(rng.choice((1, 1, 1, 3, 40))):
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            if rng.random() < 0.3:
                del damaged[rng.randrange(len(damaged)):]
            with self.subTest(seed=seed):
                (daemon.journal / "journal").write_bytes(damaged)
                try:
                    daemon.start()
                except AssertionError as ended:
                    self.assertRegex(str(ended), "journal")
                    self.assertEqual((daemon.journal / "journal").read_bytes(), damaged)
                    continue
                for job, outcome in self.told(daemon).items():
                    self.assertIn(outcome, ("done", "interrupted"))
                    self.assertIn(job, range(1, JOBS + 1))
                self.run_job(daemon)
                self.assertEqual(daemon.stop(), [])
        (daemon.journal / "journal").unlink()
        daemon.start()


class OtherVersion(JournalDamage):
    def test_the_daemon_does_not_start_and_says_how_to_move_it(self):
        daemon = self.start_daemon()
        good = self.journal_of_some_jobs(daemon)
        other = head_of_version(77) + good[16:]
        path = daemon.journal / "journal"
        path.write_bytes(other)

        self.assert_does_not_start(daemon, "version 77", rf"mv '{path}' '{path}.old'")

        self.assertEqual(path.read_bytes(), other)
        self.assertEqual(daemon.shared_memory(), [])
        path.rename(f"{path}.old")  # as it said
        daemon.start()
        self.assertEqual(self.told(daemon), {})

    def test_a_volume_with_results_outlives_a_start_that_failed(self):
        daemon = self.start_daemon()
        job = self.run_job(daemon, "submit", "--keep")
        daemon.kill()
        path = daemon.journal / "journal"
        good = path.read_bytes()
        path.write_bytes(head_of_version(77))

        self.assert_does_not_start(daemon)
        path.write_bytes(good)
        daemon.start()

        with daemon.connect() as connection:
            np.testing.assert_array_equal(connection.attach(job["id"]), self.expected)
        daemon.slab("drop", job["id"])


class NoJournal(JournalDamage):
    def test_a_folder_that_cannot_be_made_costs_durability_and_nothing_else(self):
        daemon = self.start_daemon(journal="/proc/no/such/folder")

        job = self.run_job(daemon)

        self.assertFalse(job["durable"])
        self.assertRegex(daemon.log_text(), r"(?s) warning jobs will not survive a restart.*/proc/no/such/folder")

    def test_a_file_in_the_folders_place_too(self):
        (self.directory / "test-file").write_bytes(b"")
        daemon = self.start_daemon(journal=self.directory / "test-file")

        self.assertFalse(self.run_job(daemon)["durable"])

    def test_a_run_over_a_daemon_without_a_journal_is_begun_again_by_its_client(self):
        daemon = self.start_daemon(journal="/proc/no/such/folder", tile_bytes="16kB")
        output = self.directory / "out.npy"
        daemon.arm("worker-before-tile")
        command = daemon.start_slab("run", "zoom", self.input, "-o", output, "--factor", 2, "--convention", "round",
                                    environment={"SLABD_RECONNECT": "60s"})
        daemon.wait_stopped("worker-before-tile")
        daemon.kill()

        daemon.start()
        command.finish()

        self.assert_exit(command, EXIT_DONE)
        np.testing.assert_array_equal(np.load(output), self.expected)
        self.assertEqual(self.files(), ["in.npy", "out.npy"])


class WriterKilled(JournalDamage):
    def writer(self, daemon):
        return wait_until(lambda: list(daemon.processes("journal").values()), "the journal's process")[0]

    def test_it_is_replaced_and_nothing_is_lost(self):
        daemon = self.start_daemon()
        for _ in range(8):  # more often than it may die without having done anything
            os.kill(self.writer(daemon), signal.SIGKILL)
            self.assertTrue(self.run_job(daemon)["durable"])
        before = self.told(daemon)

        daemon.kill()
        daemon.start()

        self.assertEqual(self.told(daemon), before)
        self.assertEqual(set(before.values()), {"done"})

    def test_killed_at_each_point_of_a_record_it_is_replaced_and_nothing_is_lost(self):
        daemon = self.start_daemon()
        for point in ("journal-before-write", "journal-before-sync", "journal-before-report") * 2:
            with self.subTest(point=point):
                daemon.arm(point)
                self.outputs += 1
                output = self.directory / f"out{self.outputs}.npy"
                command = daemon.start_slab("run", "zoom", self.input, "-o", output, "--factor", 2, "--convention",
                                            "round")

                os.kill(daemon.wait_stopped(point), signal.SIGKILL)
                command.finish()

                self.assert_exit(command, EXIT_DONE)
                np.testing.assert_array_equal(np.load(output), self.expected)
        daemon.kill()
        self.assertEqual(set(jobs_of((daemon.journal / "journal").read_bytes()).values()), {"done"})
        daemon.start()
        self.assertEqual(set(self.told(daemon)), set(range(1, 7)))


@needs_root
class FullDisk(JournalDamage):
    def setUp(self):
        super().setUp()
        self.mount = self.directory / "test-disk"
        self.mount.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", self.mount], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.mount], check=True)

    def fill(self):
        with (self.mount / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(512)):
                pass

    def test_jobs_go_on_and_are_not_durable(self):
        daemon = self.start_daemon(journal=self.mount / "journal")
        self.assertTrue(self.run_job(daemon)["durable"])
        self.fill()
        jobs = [self.run_job(daemon) for _ in range(12)]

        self.assertFalse(jobs[-1]["durable"])
        self.assertRegex(daemon.log_text(), r" error the journal cannot be written")

        (self.mount / "filler").unlink()
        wait_until(lambda: self.run_job(daemon)["durable"], "the journal is written again")
        self.assertRegex(daemon.log_text(), r"the journal can be written again")
        daemon.kill()
        daemon.start()
        self.assertEqual(set(self.told(daemon).values()), {"done"}, "a job that was done is told otherwise")

    def test_a_daemon_starts_with_a_journal_on_a_full_disk(self):
        daemon = self.start_daemon(journal=self.mount / "journal")
        self.run_job(daemon)
        before = self.told(daemon)
        self.fill()
        daemon.kill()

        daemon.start()

        self.assertEqual(self.told(daemon), before)
        self.run_job(daemon)


if __name__ == "__main__":
    unittest.main()
