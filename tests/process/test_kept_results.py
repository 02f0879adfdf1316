"""Results over the death of the daemon: attachable, expiring, counted, and their jobs in the history."""

import os
import time
import unittest

import numpy as np

import slab
from daemon_status import lingering_bytes
from jobs_under_test import slow_input
from raw_client import RawClient, memfd_of, submit_request
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE
from waiting import wait_until

A, B = np.arange(1000.0), np.arange(700.0)


class KeptResults(DaemonTestCase):
    def restart(self, daemon):
        daemon.kill()
        daemon.start()
        return daemon.connect()

    def keep(self, daemon, journaled, a=A):
        """The id of a job with a kept result, from arrays in memory or from files."""
        if not journaled:
            job = daemon.connect().submit("outer", a, B)
            job.wait()
            self.assertFalse(job.show()["durable"])
            return job.id
        paths = [self.directory / "a.npy", self.directory / "b.npy"]
        for path, array in zip(paths, (a, B)):
            np.save(path, array)
        self.assert_exit(daemon.slab("run", "outer", *paths, "--keep"), EXIT_DONE)
        job = max(daemon.connect().jobs(all=True), key=lambda job: job["id"])
        self.assertTrue(job["durable"])
        return job["id"]


class OverADeath(KeptResults):
    def test_they_are_attachable_after_each_of_three_deaths(self):
        daemon = self.start_daemon()
        ids = [self.keep(daemon, journaled, A + journaled) for journaled in (False, True)]
        held = daemon.held_bytes()
        for _ in range(3):
            connection = self.restart(daemon)
            self.assertEqual(daemon.held_bytes(), held)
            for number, job in enumerate(ids):
                np.testing.assert_array_equal(connection.attach(job), np.outer(A + number, B))
                shown = connection.request("show", job=job)[0]["job"]
                self.assertEqual((shown["outcome"], shown["kept"]), ("done", True))
                self.assertGreater(shown["held_bytes"], 0)
        for job in ids:
            self.assert_exit(daemon.slab("drop", job), EXIT_DONE)
        self.assertEqual(daemon.held_bytes(), 0)

    def test_nobody_writes_into_them(self):
        daemon = self.start_daemon(volume="32MiB")
        kept = self.keep(daemon, False)
        connection = self.restart(daemon)
        for _ in range(5):
            connection.run("outer", A, B + 1)

        np.testing.assert_array_equal(connection.attach(kept), np.outer(A, B))
        daemon.slab("drop", kept)

    def test_a_reader_holds_one_over_the_death_and_its_drop(self):
        for journaled in (False, True):
            with self.subTest(journaled=journaled), self.running_daemon(volume="32MiB") as daemon:
                kept = self.keep(daemon, journaled)
                reader = daemon.connect().attach(kept)

                connection = self.restart(daemon)
                np.testing.assert_array_equal(connection.attach(kept), np.outer(A, B))
                self.assert_exit(daemon.slab("drop", kept), EXIT_DONE)
                for _ in range(5):
                    connection.run("outer", A, B + 1)

                np.testing.assert_array_equal(reader, np.outer(A, B))
                self.assertGreater(lingering_bytes(connection.status()), 0)
                del reader
                wait_until(lambda: daemon.slab("trim").code == 0 and lingering_bytes(connection.status()) == 0,
                           "what nobody reads is given back")

    def test_one_that_was_dropped_does_not_come_back(self):
        daemon = self.start_daemon()
        for journaled in (False, True):
            job = self.keep(daemon, journaled)
            daemon.slab("drop", job)
            connection = self.restart(daemon)
            self.assertEqual(daemon.held_bytes(), 0)
            with self.assertRaises(slab.SlabError):
                connection.attach(job)

    def test_a_result_whose_job_has_much_to_tell_is_there_too(self):
        daemon = self.start_daemon()
        memfd = memfd_of(A)
        self.addCleanup(os.close, memfd)
        with RawClient(daemon) as client:
            job = client.ask(submit_request("zoom", A, parameters={"factor": 2, "convention": "floor"}, name="n" * 500,
                                            note={"text": "x" * 12000}), [memfd])["job"]
        wait_until(lambda: daemon.connect().request("show", job=job["id"])[0]["job"]["outcome"] == "done", "it is done")

        connection = self.restart(daemon)

        np.testing.assert_array_equal(connection.attach(job["id"]), A.repeat(2))
        daemon.slab("drop", job["id"])

    def test_one_kept_beside_its_file_is_there_at_every_moment_of_the_end(self):
        np.save(self.directory / "a.npy", A)
        np.save(self.directory / "b.npy", B)
        for point in ("journal-before-write", "journal-before-sync", "journal-before-report"):
            with self.subTest(point=point), self.running_daemon() as daemon:
                daemon.arm("mover-before-header")
                command = daemon.start_slab("run", "outer", self.directory / "a.npy", self.directory / "b.npy", "-o",
                                            self.directory / "out.npy", "--keep",
                                            environment={"SLABD_RECONNECT": "60s"})
                mover = daemon.wait_stopped("mover-before-header")
                daemon.arm(point)
                os.kill(mover, 18)
                daemon.wait_stopped(point)

                connection = self.restart(daemon)
                command.finish()

                self.assert_exit(command, EXIT_DONE)
                job = connection.jobs(all=True)[0]
                self.assertEqual((job["outcome"], job["kept"]), ("done", True))
                np.testing.assert_array_equal(connection.attach(job["id"]), np.outer(A, B))
                np.testing.assert_array_equal(np.load(self.directory / "out.npy"), np.outer(A, B))
                daemon.slab("drop", job["id"])
                (self.directory / "out.npy").unlink()

    def test_a_hundred_records_are_there_and_more_are_told_of(self):
        daemon = self.start_daemon(volume="512MiB", populate="on_demand")
        connection = daemon.connect()
        small = np.arange(10)
        ids = []
        for number in range(140):
            job = connection.submit("zoom", small + number, factor=1, convention="floor")
            job.wait()
            ids.append(job.id)
        self.assertRegex(daemon.log_text(), "its result will not survive the daemon's death")

        connection = self.restart(daemon)

        kept = {job["id"] for job in connection.jobs()}
        self.assertEqual(kept, set(ids[:128]))
        for number in (0, 64, 127):
            np.testing.assert_array_equal(connection.attach(ids[number]), small + number)
        for job in kept:
            connection.request("drop", job=job)
        self.assertEqual(daemon.held_bytes(), 0)


class Expiry(KeptResults):
    def interrupt_a_job(self, daemon):
        np.save(self.directory / "slow.npy", slow_input(400))
        command = daemon.slab("submit", "test_slow", self.directory / "slow.npy", "-o", self.directory / "slow-out.npy",
                              "--milliseconds", 5, "--tile-bytes", "4kB")
        self.assert_exit(command, EXIT_DONE)
        return max(job["id"] for job in daemon.connect().jobs(all=True))

    def test_kept_and_interrupted_ones_go_after_their_time(self):
        daemon = self.start_daemon(test_kernels=True, expire="1s")
        self.keep(daemon, False)
        self.keep(daemon, True)
        job = self.interrupt_a_job(daemon)
        connection = self.restart(daemon)
        self.assertEqual(connection.request("show", job=job)[0]["job"]["state"], "interrupted")

        wait_until(lambda: daemon.held_bytes() == 0, "all are given up", 15)

        states = {entry["id"]: (entry["state"], entry["outcome"]) for entry in connection.jobs(all=True)}
        self.assertEqual(states[job], ("ended", "cancelled"))
        self.assertEqual(connection.jobs(), [])
        connection = self.restart(daemon)
        self.assertEqual(connection.request("show", job=job)[0]["job"]["outcome"], "cancelled")
        self.assertEqual(daemon.held_bytes(), 0)

    def test_a_death_does_not_make_them_younger(self):
        daemon = self.start_daemon(expire="1h")
        jobs = [self.keep(daemon, False), self.keep(daemon, True)]
        before = [daemon.connect().request("show", job=job)[0]["job"] for job in jobs]
        time.sleep(1.2)  # the age is what is looked at

        connection = self.restart(daemon)

        for job, earlier in zip(jobs, before):
            later = connection.request("show", job=job)[0]["job"]
            self.assertAlmostEqual(later["expires_at"], earlier["expires_at"], delta=0.5)
            self.assertGreater(later["age_s"], 1.0)
            daemon.slab("drop", job)

    def test_nothing_expires_when_it_is_never(self):
        daemon = self.start_daemon(expire="0s")
        job = self.keep(daemon, False)
        time.sleep(0.3)  # it would have gone by now

        shown = daemon.connect().request("show", job=job)[0]["job"]

        self.assertEqual((shown["kept"], shown["expires_at"]), (True, None))
        np.testing.assert_array_equal(self.restart(daemon).attach(job), np.outer(A, B))
        daemon.slab("drop", job)


class Quota(KeptResults):
    def test_it_refuses_with_the_numbers_and_drop_makes_room_also_over_a_death(self):
        daemon = self.start_daemon(volume="64MiB", quota="8MiB")
        first = self.keep(daemon, False)
        for _ in range(2):
            connection = self.restart(daemon)
            with self.assertRaises(slab.Refused) as caught:
                connection.submit("outer", A, B).wait()
            self.assertRegex(str(caught.exception), r"5\.6 MB.*6\.\d.*MB.*8\.4 MB|quota\.kept = 8MiB")
            self.assertRegex(str(caught.exception), "slab drop")

        daemon.slab("drop", first)
        job = connection.submit("outer", A, B)
        job.wait()
        np.testing.assert_array_equal(job.result(), np.outer(A, B))
        job.drop()


class History(KeptResults):
    def run_once(self, daemon):
        np.save(self.directory / "a.npy", A)
        output = self.directory / "out.npy"
        command = daemon.slab("run", "zoom", self.directory / "a.npy", "-o", output, "--factor", 2, "--convention",
                              "floor")
        self.assert_exit(command, EXIT_DONE)
        output.unlink()
        return max(job["id"] for job in daemon.connect().jobs(all=True))

    def test_it_is_shown_over_deaths_and_stops_bounded_by_the_setting(self):
        daemon = self.start_daemon(history=5)
        ids = []
        for turn in range(6):
            ids += [self.run_once(daemon) for _ in range(3)]
            if turn % 2:
                self.assertEqual(daemon.stop(), [])
                daemon.start()
            else:
                self.restart(daemon)
            told = daemon.connect().jobs(all=True)
            self.assertEqual([job["id"] for job in told], ids[-5:])
            self.assertEqual({job["outcome"] for job in told}, {"done"})
            listed = daemon.slab("ps", "--all").out
            for job in ids[-5:]:
                self.assertRegex(listed, rf"(?m)^\s*{job}\b.*done")
        self.assertEqual(len(set(ids)), len(ids))

    def test_no_number_is_given_twice(self):
        daemon = self.start_daemon()
        seen = []
        for turn in range(6):
            connection = daemon.connect()
            job = connection.submit("zoom", A, factor=2, convention="floor")  # not in the journal
            job.wait()
            job.drop()
            seen.append(job.id)
            if turn % 3 == 0:
                seen.append(self.run_once(daemon))
                connection.run("zoom", A, factor=2, convention="floor")
                seen.append(seen[-1] + 1)
            if turn % 2:
                self.assertEqual(daemon.stop(), [])
                daemon.start()
            else:
                self.restart(daemon)
        self.assertEqual(seen, sorted(set(seen)))

    def test_a_submission_is_known_over_deaths(self):
        """A client that lost the answer asks again: its job is not run twice, though it has ended meanwhile."""
        daemon = self.start_daemon()
        np.save(self.directory / "a.npy", A)
        request = submit_request("zoom", A, parameters={"factor": 2, "convention": "floor"}, submission="ab" * 16)
        with (self.directory / "a.npy").open("rb") as file:
            request["inputs"][0]["offset"] = 128
            for _ in range(3):
                with RawClient(daemon) as client:
                    answer = client.ask(request, [file.fileno()])
                self.assertEqual(answer["job"]["id"], 1)
                wait_until(lambda: daemon.connect().request("show", job=1)[0]["job"]["outcome"] == "done", "it is done")
                self.restart(daemon)
        self.assertEqual(len(daemon.connect().jobs(all=True)), 1)
        daemon.slab("drop", 1)


if __name__ == "__main__":
    unittest.main()
