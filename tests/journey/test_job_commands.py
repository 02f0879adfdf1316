"""submit, wait, ps, show, cancel; --keep, attach, fetch, drop; job files."""

import os
import signal
import unittest

import numpy as np

from hand_loops import checkered, zoomed_by_round
from slab_harness import DaemonTestCase
from started_command import EXIT_CANCELLED, EXIT_DONE, EXIT_FAILED, EXIT_USAGE
from waiting import wait_until

ZOOM = ["--factor", 2, "--convention", "round"]
SLOW = ["--milliseconds", 5, "--tile-bytes", "4kB"]


class JobCommands(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(test_kernels=True)
        self.input = self.directory / "in.npy"
        self.output = self.directory / "out.npy"
        self.array = checkered((10, 20, 30), np.uint16)
        np.save(self.input, self.array)

    def slab(self, *arguments, code=EXIT_DONE, **options):
        command = self.daemon.slab(*arguments, **options)
        self.assert_exit(command, code)
        return command

    def submit(self, *arguments):
        """The id that `slab submit` prints."""
        return int(self.slab("submit", *arguments).out)

    def show(self, job):
        return self.slab("show", job, "--json").json()

    def slow_job(self):
        slow = self.directory / "slow.npy"
        np.save(slow, np.zeros((2000, 512)))
        job = self.submit("test_slow", slow, "-o", self.output, *SLOW)
        wait_until(lambda: self.show(job)["state"] == "running", "the job runs")
        return job

    def test_a_submitted_job_writes_its_file_and_wait_tells_its_end(self):
        job = self.submit("zoom", self.input, "-o", self.output, *ZOOM)

        self.slab("wait", job)

        np.testing.assert_array_equal(np.load(self.output), zoomed_by_round(self.array, 2))
        self.assertEqual(self.show(job)["outcome"], "done")
        self.assertEqual(self.files(), ["in.npy", "out.npy"])

    def test_an_unfinished_submitted_file_never_reads_as_valid(self):
        job = self.slow_job()

        with self.assertRaises((ValueError, EOFError)):
            np.load(self.output)

        self.slab("cancel", job)

    def test_ps_lists_the_living_and_with_all_the_ended(self):
        done = self.submit("zoom", self.input, "-o", self.output, *ZOOM)
        self.slab("wait", done)
        self.output.unlink()
        running = self.slow_job()

        living = [job["id"] for job in self.slab("ps", "--json").json()["jobs"]]
        every = [job["id"] for job in self.slab("ps", "--all", "--json").json()["jobs"]]
        text = self.slab("ps").out

        self.assertEqual(living, [running])
        self.assertEqual(sorted(every), [done, running])
        self.assertRegex(text, rf"\b{running}\b.*test_slow")
        self.slab("cancel", running)

    def test_cancel_ends_a_job_and_wait_exits_with_130(self):
        job = self.slow_job()

        self.slab("cancel", job)

        self.slab("wait", job, code=EXIT_CANCELLED)
        self.assertEqual(self.show(job)["outcome"], "cancelled")
        self.daemon.wait_until_nothing_is_held()

    def test_submit_exits_with_0_when_the_job_fails_before_its_id_is_told(self):
        """The id is told when the job is in the journal; how the job ends is for wait to tell."""
        self.daemon.arm("journal-before-report")
        submit = self.daemon.start_slab("submit", "test_crash", self.input, "-o", self.output, "--tile", 0)
        journal = self.daemon.wait_stopped("journal-before-report")
        connection = self.daemon.connect()
        wait_until(lambda: "failed" in str(connection.jobs(all=True)), "the job fails")

        os.kill(journal, signal.SIGCONT)
        submit.finish()

        self.assert_exit(submit, EXIT_DONE)
        self.slab("wait", int(submit.out), code=EXIT_FAILED)

    def test_wait_for_several_exits_with_the_worst(self):
        done = self.submit("zoom", self.input, "--keep", *ZOOM)
        failed = self.submit("test_crash", self.input, "-o", self.output, "--tile", 0)

        self.slab("wait", done, failed, code=EXIT_FAILED)

        self.slab("drop", done)

    def test_a_kept_result_is_attached_fetched_and_dropped(self):
        job = self.slab("run", "zoom", self.input, "--keep", "--json", *ZOOM).json()["id"]
        expected = zoomed_by_round(self.array, 2)

        view = self.daemon.connect().attach(job)
        self.slab("fetch", job, "-o", self.output)
        self.slab("drop", job)

        np.testing.assert_array_equal(view, expected)
        np.testing.assert_array_equal(np.load(self.output), expected)
        self.slab("fetch", job, "-o", self.directory / "again.npy", code=EXIT_USAGE)
        self.assertEqual(self.files(), ["in.npy", "out.npy"])
        self.daemon.wait_until_nothing_is_held()

    def test_keep_beside_a_file_gives_both(self):
        job = self.slab("run", "zoom", self.input, "-o", self.output, "--keep", "--json", *ZOOM).json()["id"]

        np.testing.assert_array_equal(self.daemon.connect().attach(job), np.load(self.output))
        self.assertGreater(self.daemon.held_bytes(), 0)
        self.slab("drop", job)
        self.daemon.wait_until_nothing_is_held()

    def test_commands_on_an_unknown_job_are_usage_errors(self):
        for command in ("show", "wait", "cancel", "drop"):
            with self.subTest(command=command):
                self.assertIn("error: ", self.slab(command, 4711, code=EXIT_USAGE).err)

    def test_status_and_kernels_are_one_json_object(self):
        wait_until(lambda: len(self.daemon.worker_pids()) == 2, "both workers")
        status = self.slab("status", "--json").json()
        kernels = self.slab("kernels", "--json").json()

        self.assertEqual(len(status["workers"]), 2)
        self.assertEqual({worker["pid"] for worker in status["workers"]}, set(self.daemon.worker_pids()))
        self.assertLessEqual({"zoom", "outer"}, {kernel["name"] for kernel in kernels["kernels"]})

    def test_help_of_a_kernel_names_its_parameters_and_choices(self):
        text = self.slab("kernels", "zoom").out

        for word in ("factor", "convention", "scipy-grid", "round", "floor", "order", "shape", "slab run zoom"):
            self.assertIn(word, text)

    def test_processes_show_in_ps_what_they_are(self):
        job = self.slow_job()

        self.assertEqual(sorted(title.split(" (")[0] for title in self.daemon.processes("worker")),
                         ["slabd: worker 0", "slabd: worker 1"])
        self.assertIn(f"slabd: mover {job}", self.daemon.processes("mover"))
        self.assertEqual(list(self.daemon.processes("supervisor").values()), [self.daemon.pid])
        for title in self.daemon.processes("worker"):
            self.assertRegex(title, r"\(cpu \d+\)$")

        self.slab("cancel", job)


class JobFiles(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon()
        self.array = checkered((10, 20, 30), np.uint16)
        np.save(self.directory / "in.npy", self.array)
        self.job_file = self.directory / "job.toml"

    def test_a_job_file_does_what_the_command_line_does(self):
        self.job_file.write_text('kernel = "zoom"\ninputs = ["in.npy"]\noutput = "out.npy"\n'
                                 '[parameters]\nfactor = [2, 1, 4]\nconvention = "round"\n')

        command = self.daemon.slab("run", self.job_file, cwd="/")

        self.assert_exit(command, EXIT_DONE)
        np.testing.assert_array_equal(np.load(self.directory / "out.npy"), zoomed_by_round(self.array, (2, 1, 4)))

    def test_an_option_beside_the_file_wins(self):
        self.job_file.write_text('kernel = "zoom"\ninputs = ["in.npy"]\noutput = "out.npy"\n'
                                 '[parameters]\nfactor = 2\nconvention = "round"\n')

        command = self.daemon.slab("run", self.job_file, "--factor", 3)

        self.assert_exit(command, EXIT_DONE)
        np.testing.assert_array_equal(np.load(self.directory / "out.npy"), zoomed_by_round(self.array, 3))

    def test_an_unknown_key_is_an_error_with_its_line_and_the_nearest_key(self):
        self.job_file.write_text('kernel = "zoom"\ninptus = ["in.npy"]\n')

        command = self.daemon.slab("run", self.job_file)

        self.assert_exit(command, EXIT_USAGE)
        self.assertRegex(command.err, r"line 2")
        self.assertRegex(command.err, r"try: .*inputs")

    def test_a_file_that_is_no_toml_is_an_error_with_its_line(self):
        self.job_file.write_text('kernel = "zoom"\n\nthis is no toml\n')

        command = self.daemon.slab("run", self.job_file)

        self.assert_exit(command, EXIT_USAGE)
        self.assertRegex(command.err, r"line 3")


class FromPython(DaemonTestCase):
    """The Python module on a real daemon, with files."""

    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon()
        self.slabd = self.daemon.connect()
        self.array = checkered((10, 20, 30), np.uint16)
        self.output = self.directory / "out.npy"

    def test_run_into_a_file_returns_a_memmap_of_it(self):
        result = self.slabd.run("zoom", self.array, factor=2, convention="round", out=self.output)

        self.assertIsInstance(result, np.memmap)
        self.assertFalse(result.flags.writeable)
        np.testing.assert_array_equal(result, zoomed_by_round(self.array, 2))
        np.testing.assert_array_equal(np.load(self.output), result)
        self.assertEqual(self.files(), ["out.npy"])
        self.assertEqual(self.daemon.held_bytes(), 0)

    def test_run_into_a_fortran_ordered_file_reads_back(self):
        array = np.asfortranarray(self.array)

        result = self.slabd.run("zoom", array, factor=2, convention="round", out=self.output)

        np.testing.assert_array_equal(result, zoomed_by_round(array, 2))
        np.testing.assert_array_equal(np.load(self.output), result)

    def test_submit_into_a_file_is_complete_after_wait(self):
        job = self.slabd.submit("zoom", self.array, factor=2, convention="round", out=self.output)

        self.assertEqual(job.wait()["outcome"], "done")

        np.testing.assert_array_equal(job.result(), zoomed_by_round(self.array, 2))
        self.assertEqual((job.progress(), self.files()), (1.0, ["out.npy"]))

    def test_a_result_is_the_input_of_the_next_run(self):
        once = self.slabd.run("zoom", self.array, factor=2, convention="round")
        twice = self.slabd.run("zoom", once, factor=2, convention="round")

        np.testing.assert_array_equal(twice, zoomed_by_round(zoomed_by_round(self.array, 2), 2))

    def test_a_memmap_and_a_path_are_read_from_their_file(self):
        path = self.directory / "in.npy"
        np.save(path, self.array)
        for source in (path, str(path), np.load(path, mmap_mode="r"), np.load(path, mmap_mode="r")[2:7]):
            expected = np.load(source) if isinstance(source, (str, os.PathLike)) else np.array(source)
            result = self.slabd.run("zoom", source, factor=2, convention="round")
            np.testing.assert_array_equal(result, zoomed_by_round(expected, 2))


if __name__ == "__main__":
    unittest.main()
