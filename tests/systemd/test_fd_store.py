"""Jobs over the end of the daemon that runs them, of all its kinds: systemd keeps their files, the state directory
their journal."""

import unittest

import numpy as np

from installed_slabd import CONFIGURATION, MEMBER, SERVICE, SOCKET, STATE_DIRECTORY, InstalledTestCase
from started_command import EXIT_DONE
from waiting import wait_until

IN_A_RING = ("--max-memory", "8MiB")  # the input and its zoom have 9 MiB


class StreamingJob(InstalledTestCase):
    """A job of many bands that has been held still in the middle."""

    def setUp(self):
        super().setUp()
        self.expected = self.save_input()

    def stored(self):
        return int(self.property("NFileDescriptorStore"))

    def submit(self, *more):
        """`slab submit`, and its client has gone. Returns when the first band is being written, and the next ones wait
        behind it."""
        self.arm("mover-in-flush")
        command = self.slab("submit", *self.zoom_arguments("-o", "out.npy", *IN_A_RING, "--json", *more))
        self.assert_exit(command, EXIT_DONE)
        job = command.json()["id"]
        self.wait_half_done(job)
        return job

    def start_run(self):
        """`slab run`, which waits; its job is as far as that of submit()."""
        self.arm("mover-in-flush")
        client = self.container.start("slab", "run", *self.zoom_arguments("-o", "out.npy", *IN_A_RING, "--json"),
                                      user=MEMBER)
        self.wait_half_done(None)
        return client

    def wait_half_done(self, job):
        self.wait_stopped("mover-in-flush")
        job = job or self.jobs()[0]["id"]
        wait_until(lambda: self.show(job)["bands_done"] >= 2, "the ring fills up")
        self.assertGreater(self.show(job)["bands"], self.show(job)["bands_done"])
        self.assertEqual(self.stored(), 2)

    def jobs(self, *more):
        command = self.slab("ps", "--json", *more)
        self.assert_exit(command, EXIT_DONE)
        return command.json()["jobs"]

    def kill(self):
        self.signal("KILL", self.main_pid())

    def wait_ended(self, job):
        """Asks and does nothing."""
        wait_until(lambda: self.show(job)["state"] == "ended", f"job {job} ends by itself")
        record = self.show(job)
        self.assertEqual(record["outcome"], "done", record)
        return record

    def assert_written(self):
        np.testing.assert_array_equal(np.load(self.home / "out.npy"), self.expected)
        self.assertEqual(self.files(), ["in.npy", "out.npy"])
        wait_until(lambda: self.stored() == 0, "systemd keeps none of the files of a job that has ended")


class GoesOn(StreamingJob):
    def test_by_itself_after_the_daemon_was_killed(self):
        job = self.submit()
        inode = (self.home / "out.npy").stat().st_ino

        self.kill()

        record = self.wait_ended(job)
        self.assertGreater(record["tiles_adopted"], 0)
        self.assertEqual(record["flush_method"], "io_uring O_DIRECT")
        self.assertEqual((self.home / "out.npy").stat().st_ino, inode)
        self.assert_written()

    def test_by_itself_after_two_kills(self):
        job = self.submit()
        self.arm("mover-in-flush")  # of the next daemon

        self.kill()
        self.wait_half_done(job)
        self.kill()

        self.wait_ended(job)
        self.assert_written()

    def test_by_itself_after_the_watchdog(self):
        self.set_drop_in("watchdog", "[Service]\nWatchdogSec=2s\n")
        self.addCleanup(self.set_drop_in, "watchdog", None)
        job = self.submit()

        self.signal("STOP", self.main_pid())

        self.assertGreater(self.wait_ended(job)["tiles_adopted"], 0)
        self.assertTrue(self.log_has("Watchdog timeout"))
        self.assert_written()

    def test_by_itself_after_a_restart(self):
        job = self.submit()

        self.container.must_run("systemctl", "restart", SERVICE)

        self.wait_ended(job)
        self.assert_written()

    def test_and_its_waiting_client_goes_on_waiting(self):
        for end in (self.kill, lambda: self.container.must_run("systemctl", "restart", SERVICE)):
            with self.subTest(end=end):
                client = self.start_run()

                end()
                client.finish()

                self.assert_exit(client, EXIT_DONE)
                self.assert_written()
                (self.home / "out.npy").unlink()

    def test_when_daemon_and_socket_are_started_again_and_its_client_has_waited(self):
        client = self.start_run()

        self.container.must_run("systemctl", "stop", SOCKET, SERVICE)
        self.assertEqual(self.property("ActiveState"), "inactive")
        self.container.must_run("systemctl", "start", SOCKET)
        client.finish()

        self.assert_exit(client, EXIT_DONE)
        self.assert_written()

    def test_with_the_moved_file_of_its_owner(self):
        job = self.submit()
        (self.home / "out.npy").rename(self.home / "elsewhere.npy")

        self.kill()

        self.wait_ended(job)
        np.testing.assert_array_equal(np.load(self.home / "elsewhere.npy"), self.expected)


class Interrupted(StreamingJob):
    def assert_interrupted(self, job):
        record = self.show(job)
        self.assertEqual(record["state"], "interrupted", record)
        wait_until(lambda: self.stored() == 0, "systemd keeps no file of a job that waits for its owner")

    def test_after_a_stop_it_is_and_its_owner_resumes_it(self):
        job = self.submit()

        self.container.must_run("systemctl", "stop", SERVICE)
        self.assertEqual(self.stored(), 0)
        self.start_service()

        self.assert_interrupted(job)
        self.assert_exit(self.slab("resume", job), EXIT_DONE)
        self.assert_written()

    def test_a_job_that_was_resumed_goes_on_by_itself_the_next_time(self):
        job = self.submit()
        self.container.must_run("systemctl", "stop", SERVICE)
        self.start_service()
        self.arm("mover-in-flush")
        self.assert_exit(self.slab("resume", "--no-wait", job), EXIT_DONE)
        self.wait_half_done(job)

        self.kill()

        self.assertGreater(self.wait_ended(job)["tiles_adopted"], 0)
        self.assert_written()

    def test_when_an_input_has_changed_it_is_and_systemd_does_not_keep_its_files(self):
        job = self.submit()
        with (self.home / "in.npy").open("r+b") as file:
            file.seek(4096)
            file.write(b"changed")

        self.kill()

        wait_until(lambda: "it was changed since" in (self.show(job)["reason"] or ""), "the daemon sees it")
        self.assert_interrupted(job)
        self.slab("drop", job)
        self.assertEqual(self.status()["volume"]["held_bytes"], 0)

    def test_a_cancelled_job_leaves_no_file_with_systemd(self):
        job = self.submit()

        self.slab("cancel", job)

        wait_until(lambda: self.stored() == 0, "its files are given back")


class KeptResults(StreamingJob):
    def test_survive_the_death_of_the_daemon(self):
        job = self.slab("run", *self.zoom_arguments("--keep", "--json")).json()["id"]

        self.kill()

        self.assertTrue(self.show(job)["kept"])
        self.assert_exit(self.slab("fetch", job, "-o", "out.npy"), EXIT_DONE)
        self.assert_written()


class StateDirectory(InstalledTestCase):
    def test_is_for_the_daemon_alone_and_has_a_folder_of_the_instance(self):
        self.start_service()

        stat = self.container.must_run("stat", "--format=%U %a", STATE_DIRECTORY, f"{STATE_DIRECTORY}/system",
                                       f"{STATE_DIRECTORY}/system/journal").splitlines()

        self.assertEqual(stat, ["slabd 700", "slabd 700", "slabd 600"])
        self.assertFalse(self.log_has("jobs will not survive"))
        self.assertEqual(self.doctor()["journal"]["level"], "ok")

    def test_doctor_says_when_it_cannot_be_used(self):
        self.configure(CONFIGURATION + '[journal]\nfolder = "/usr/slabd"\n')  # read-only: ProtectSystem=strict
        self.start_service()

        self.assertEqual(self.doctor()["journal"]["level"], "warn")
        self.assertTrue(self.log_has("no journal can be kept in '/usr/slabd'"))

    def doctor(self):
        return {check["name"]: check for check in self.slab("doctor", "--json").json()["checks"]}


class Reboot(StreamingJob):
    def boot(self):
        self.container.boot()
        self.make_pausable()

    def assert_only_history(self, end):
        ended = self.slab("run", *self.zoom_arguments("-o", "first.npy", "--json")).json()["id"]
        running = self.submit()

        end()
        self.boot()

        wait_until(lambda: not [worker for worker in self.status()["workers"] if worker["state"] != "idle"],
                   "the new volume has its memory, and nobody works")
        record = self.show(running)
        self.assertEqual((record["state"], record["tiles_done"], record["held_bytes"]), ("interrupted", 0, 0))
        self.assertEqual({job["id"]: job["outcome"] for job in self.jobs("--all")}, {ended: "done", running: None})
        self.assert_exit(self.slab("resume", running), EXIT_DONE)
        (self.home / "first.npy").unlink()
        self.assert_written()

    def test_after_a_loss_of_power_shows_the_past_and_runs_nothing_again(self):
        self.assert_only_history(self.container.cut_power)

    def test_after_an_orderly_one_too(self):
        self.assert_only_history(self.container.shut_down)

    def test_gives_up_what_was_in_memory(self):
        job = self.slab("run", *self.zoom_arguments("--keep", "--json")).json()["id"]

        self.container.cut_power()
        self.boot()

        self.assertFalse(self.slab("show", job, "--json").json()["kept"])
        self.assertEqual(self.status()["volume"]["held_bytes"], 0)


if __name__ == "__main__":
    unittest.main()
