"""A plug-in that crashes, hangs or ends its process costs workers and its own job: not the daemon, not another job."""

import os
import pathlib
import signal
import unittest

import numpy as np

import slab
from daemon_status import worker_pids_by_cpu
from jobs_under_test import slow_input
from plugin_building import build_plugin
from slab_harness import DaemonTestCase
from waiting import wait_until

ROWS = np.arange(64 * 32, dtype=float).reshape(64, 32)


class FaultyPlugins(DaemonTestCase):
    def faulty(self, *definitions, name="faulty.so"):
        return build_plugin(self.directory / name, "faulty.c", *definitions)

    def refusal(self, daemon):
        """Why the daemon's only plug-in is refused."""
        [entry] = daemon.connect().status()["plugins"]
        self.assertEqual(entry["kernels"], [])
        return entry["refused"]

    def assert_works(self, daemon, count=2):
        slabd = daemon.connect()
        np.testing.assert_array_equal(slabd.run("outer", np.arange(5.0), np.arange(4.0)),
                                      np.outer(np.arange(5.0), np.arange(4.0)))
        wait_until(lambda: len(worker_pids_by_cpu(slabd.status())) == count, "every worker is there")

    def assert_its_job_fails(self, definition, **options):
        library = self.faulty(definition)
        daemon = self.start_daemon(test_kernels=True, plugins=[library], **options)
        slabd = daemon.connect()
        other_input = slow_input(tiles=48)
        other = slabd.submit("test_slow", other_input, milliseconds=10, tile_bytes=4096)
        wait_until(lambda: other.show()["state"] == "running", "the other job runs")

        with self.assertRaises(slab.JobFailed) as caught:
            slabd.run("faulty", ROWS, row=40, tile_bytes=1024)
        other.wait()

        error = caught.exception
        self.assertRegex(error.what, r"tile 10 \[40:44, 0:32\] of the output killed 3 workers")
        self.assertIn(f"the kernel faulty of the plug-in {library} crashes or hangs there", error.because)
        np.testing.assert_array_equal(other.result(), other_input)
        other.drop()
        np.testing.assert_array_equal(slabd.run("faulty", ROWS, row=1000), ROWS)  # where nothing goes wrong
        self.assert_works(daemon)
        daemon.wait_until_nothing_is_held()

    def test_a_crash_in_a_tile_fails_its_job_and_names_the_plugin(self):
        self.assert_its_job_fails("CRASHES_IN_TILE")

    def test_a_tile_that_ends_its_process_fails_its_job(self):
        self.assert_its_job_fails("EXITS_IN_TILE")

    def test_a_tile_that_hangs_is_killed_past_the_deadline(self):
        self.assert_its_job_fails("HANGS_IN_TILE", tile_deadline="300ms")

    def test_a_constructor_that_crashes_in_workers_alone_costs_the_jobs_of_its_kernels(self):
        daemon = self.start_daemon(plugins=[self.faulty("ABORTS_IN_WORKERS")])
        self.assert_works(daemon)

        with self.assertRaises(slab.JobFailed) as caught:
            daemon.connect().run("faulty", ROWS)

        self.assertRegex(caught.exception.what, "killed 3 workers")
        self.assert_works(daemon)

    def test_a_constructor_that_crashes_has_its_plugin_refused(self):
        daemon = self.start_daemon(plugins=[self.faulty("ABORTS_IN_CONSTRUCTOR")])

        self.assertRegex(self.refusal(daemon)["because"], r"it crashed \(signal 6, Aborted\) while it was loaded")
        self.assertIn("plugin=", daemon.log_text())
        self.assert_works(daemon)

    def test_a_constructor_that_ends_the_process_has_its_plugin_refused(self):
        daemon = self.start_daemon(plugins=[self.faulty("EXITS_IN_CONSTRUCTOR")])

        self.assertRegex(self.refusal(daemon)["because"], r"it ended its process \(exit code 0\) while it was loaded")
        self.assert_works(daemon)

    def test_a_constructor_that_hangs_delays_the_start_and_no_more(self):
        daemon = self.start_daemon(plugins=[self.faulty("HANGS_IN_CONSTRUCTOR")])

        self.assertRegex(self.refusal(daemon)["because"], r"it hung for \d+ s while it was loaded")
        self.assert_works(daemon)

    def test_a_table_with_a_wild_pointer_has_its_plugin_refused(self):
        daemon = self.start_daemon(plugins=[self.faulty("WILD_POINTER")])

        self.assertRegex(self.refusal(daemon)["because"], r"it crashed \(signal 11, .*\) while its table of kernels was read")
        self.assert_works(daemon)

    def test_a_library_that_is_overwritten_changes_nothing_for_a_running_daemon(self):
        library = self.faulty()
        daemon = self.start_daemon(plugins=[library])
        slabd = daemon.connect()
        np.testing.assert_array_equal(slabd.run("faulty", ROWS), ROWS)

        library.write_bytes(b"no library any more")
        for pid in daemon.worker_pids():
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(worker_pids_by_cpu(slabd.status())) == 2, "every worker is replaced")

        np.testing.assert_array_equal(slabd.run("faulty", ROWS), ROWS)


    def test_the_jobs_after_its_own_run_in_workers_that_never_loaded_it(self):
        daemon = self.start_daemon(plugins=[self.faulty()])
        slabd = daemon.connect()

        def workers_with_it():
            return [pid for pid in daemon.worker_pids() if "faulty.so" in pathlib.Path(f"/proc/{pid}/maps").read_text()]

        self.assertEqual(workers_with_it(), [])  # not before they need it
        slabd.run("faulty", ROWS, row=1000, tile_bytes=1024)
        slabd.run("faulty", ROWS, row=1000, tile_bytes=1024)
        self.assertNotEqual(workers_with_it(), [])  # from one of its jobs to the next they stay
        lost = slabd.status()["workers_lost"]

        self.assert_works(daemon)

        self.assertEqual(workers_with_it(), [])
        self.assertEqual(slabd.status()["workers_lost"], lost)


class InterruptedJobs(DaemonTestCase):
    """What was begun with one build of a plug-in does not go on with another."""

    def setUp(self):
        super().setUp()
        self.library = build_plugin(self.directory / "faulty.so", "faulty.c")
        self.journal = self.directory / "test-journal"
        np.save(self.directory / "in.npy", ROWS)

    def interrupted_job(self, daemon):
        daemon.arm("worker-before-tile")
        submit = daemon.slab("submit", "faulty", self.directory / "in.npy", "-o", self.directory / "out.npy",
                             "--tile-bytes", 1024)
        self.assertEqual(submit.code, 0, submit.err)
        daemon.wait_stopped("worker-before-tile")
        daemon.kill()
        return int(submit.out)

    def state_after_restart(self, change):
        daemon = self.start_daemon(plugins=[self.library], journal=self.journal, workers=1)
        job = self.interrupted_job(daemon)
        change()
        daemon.start()
        return daemon, daemon.connect().request("show", job=job)[0]["job"]

    def test_the_same_build_goes_on(self):
        content = self.library.read_bytes()

        def build_again():  # another file with the same bytes
            self.library.unlink()
            self.library.write_bytes(content)
            self.library.chmod(0o755)

        daemon, job = self.state_after_restart(build_again)

        self.assertEqual(job["state"], "interrupted")
        resume = daemon.slab("resume", job["id"])
        self.assertEqual(resume.code, 0, resume.err)
        np.testing.assert_array_equal(np.load(self.directory / "out.npy"), ROWS)

    def test_another_build_is_refused_with_the_reason(self):
        def build_otherwise():
            build_plugin(self.library, "faulty.c", "EXITS_IN_TILE")

        _, job = self.state_after_restart(build_otherwise)

        self.assertEqual((job["state"], job["outcome"]), ("ended", "failed"))
        self.assertEqual(job["error"]["what"], "the kernel faulty is not the one that the job began with")
        self.assertIn("is another build", job["error"]["because"])

    def test_a_plugin_that_is_gone_is_named(self):
        _, job = self.state_after_restart(self.library.unlink)

        self.assertEqual((job["state"], job["outcome"]), ("ended", "failed"))
        self.assertEqual(job["error"]["what"], "there is no kernel 'faulty'")
        self.assertIn(f"faulty came with the plug-in {self.library}", job["error"]["because"])


if __name__ == "__main__":
    unittest.main()
