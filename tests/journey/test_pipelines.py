"""Several kernels as one job, and one job for many files."""

import unittest

import numpy as np

import slab
from slab_harness import DaemonTestCase
from started_command import EXIT_CANCELLED, EXIT_DONE, EXIT_USAGE
from waiting import wait_until

TWO_STEPS = """
[[step]]
name = "larger"
kernel = "zoom"
parameters = { factor = 2, order = 1 }

[[step]]
name = "smaller"
kernel = "zoom"
[step.parameters]
factor = 0.5
order = 3
"""


class Pipelines(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(test_kernels=True, workers=2, volume="64MiB")
        self.slabd = self.daemon.connect()
        self.input = self.directory / "in.npy"
        self.array = np.random.default_rng(7).random((40, 50, 60), np.float32)
        np.save(self.input, self.array)

    def job_file(self, text):
        path = self.directory / "job.toml"
        path.write_text(text)
        return path

    def one_by_one(self, array):
        larger = self.slabd.run("zoom", array, factor=2, order=1)
        return np.array(self.slabd.run("zoom", np.array(larger), factor=0.5, order=3))

    def assert_refused(self, text, what, because="", inputs=None):
        output = self.directory / "no.npy"
        command = self.daemon.slab("run", self.job_file(text), *([self.input] if inputs is None else inputs),
                                   "-o", output)
        self.assert_exit(command, EXIT_USAGE)
        self.assertRegex(command.err, rf"(?m)^error: .*{what}")
        if because:
            self.assertRegex(command.err, rf"(?m)^because: .*{because}")
        self.assertFalse(output.exists())
        self.daemon.wait_until_nothing_is_held()


class Steps(Pipelines):
    def test_a_pipeline_gives_what_its_steps_give_one_by_one(self):
        output = self.directory / "out.npy"
        command = self.daemon.slab("run", self.job_file(TWO_STEPS), self.input, "-o", output, "--json")
        self.assert_exit(command, EXIT_DONE)
        np.testing.assert_array_equal(np.load(output), self.one_by_one(self.array))
        record = command.json()
        self.assertEqual(record["kernel"], "zoom > zoom")
        self.assertEqual([step["name"] for step in record["steps"]], ["larger", "smaller"])
        self.assertEqual(record["steps"][0]["output"]["shape"], [80, 100, 120])
        self.assertEqual(len(self.daemon.slab("ps", "--all", "--json").json()["jobs"]), 3)  # it is one of them

    def test_bands_go_through_all_steps(self):
        array = np.random.default_rng(8).random((300, 120, 120), np.float32)
        np.save(self.input, array)
        output = self.directory / "out.npy"
        command = self.daemon.slab("run", self.job_file(TWO_STEPS), self.input, "-o", output, "--json",
                                   "--max-memory", "45MiB")
        self.assert_exit(command, EXIT_DONE)
        self.assertGreater(command.json()["bands"], 2)
        larger, smaller = self.directory / "larger.npy", self.directory / "smaller.npy"
        self.assert_exit(self.daemon.slab("run", "zoom", self.input, "-o", larger, "--factor", 2, "--order", 1),
                         EXIT_DONE)
        self.assert_exit(self.daemon.slab("run", "zoom", larger, "-o", smaller, "--factor", 0.5, "--order", 3),
                         EXIT_DONE)
        np.testing.assert_array_equal(np.load(output), np.load(smaller))

    def test_steps_branch_and_meet_again_in_any_order(self):
        y, x = np.arange(30.0), np.arange(20.0) + 1
        found = self.slabd.run([slab.step("outer", "wide", "high"), slab.step("zoom", 1, name="wide", factor=2, order=0),
                                slab.step("zoom", 0, name="high", factor=3, order=0)], y, x)
        wide = np.array(self.slabd.run("zoom", x, factor=2, order=0))
        high = np.array(self.slabd.run("zoom", y, factor=3, order=0))
        np.testing.assert_array_equal(found, np.outer(wide, high))

    def test_one_array_may_go_two_ways(self):
        line = np.arange(50.0)
        found = self.slabd.run([slab.step("zoom", 0, name="twice", factor=2, order=0),
                                slab.step("outer", "twice", 0)], line)
        twice = np.array(self.slabd.run("zoom", line, factor=2, order=0))
        np.testing.assert_array_equal(found, np.outer(twice, line))

    def test_fortran_order_and_files_that_steps_name(self):
        array = np.asfortranarray(self.array)
        np.save(self.input, array)
        output = self.directory / "out.npy"
        text = TWO_STEPS.replace('name = "larger"', 'name = "larger"\ninputs = "in.npy"')
        self.assert_exit(self.daemon.slab("run", self.job_file(text), "-o", output), EXIT_DONE)
        found = np.load(output)
        self.assertTrue(found.flags.f_contiguous)
        larger = np.asfortranarray(self.slabd.run("zoom", array, factor=2, order=1))
        np.testing.assert_array_equal(found, self.slabd.run("zoom", larger, factor=0.5, order=3))

    def test_the_plan_tells_each_step(self):
        command = self.daemon.slab("run", self.job_file(TWO_STEPS), self.input, "--plan")
        self.assert_exit(command, EXIT_DONE)
        self.assertRegex(command.out, r"step larger: zoom -> \(80, 100, 120\) float32")
        self.assertRegex(command.out, r"step smaller: zoom -> \(40, 50, 60\) float32")

    def test_an_error_names_its_step(self):
        self.assert_refused(TWO_STEPS.replace("order = 3", "order = 6"), "step 'smaller': .*order")
        self.assert_refused(TWO_STEPS.replace("order = 3", "ordr = 3"), "step 'smaller': .*ordr")
        self.assert_refused(TWO_STEPS.replace('"zoom"\n[step', '"zom"\n[step'), "step 'smaller': .*zom")
        crash = """
[[step]]
kernel = "zoom"
parameters = { factor = 1, order = 0 }
[[step]]
name = "the guilty one"
kernel = "test_crash"
"""
        np.save(self.input, np.zeros((20, 20), np.int64))
        command = self.daemon.slab("run", self.job_file(crash), self.input, "-o", self.directory / "no.npy")
        self.assertEqual(command.code, 1, command.err)
        self.assertIn("of step 'the guilty one' killed 3 workers", command.err)

    def test_what_is_no_pipeline_is_refused_before_any_work(self):
        cycle = TWO_STEPS.replace('name = "larger"', 'name = "larger"\ninputs = ["smaller"]')
        self.assert_refused(cycle, "a cycle", "larger <- smaller <- larger", inputs=[])
        self.assert_refused(TWO_STEPS.replace('name = "smaller"', 'name = "smaller"\ninputs = ["larer"]'),
                            "takes 'larer', which is nothing")
        self.assert_refused(TWO_STEPS.replace('name = "smaller"', 'name = "smaller"\ninputs = ["input"]'),
                            "has 2 results", "larger, smaller")
        self.assert_refused(TWO_STEPS.replace('name = "smaller"', 'name = "smaller"\ninputs = ["input 3"]'),
                            "takes 'input 3', which is not given")
        self.assert_refused(TWO_STEPS.replace('"smaller"', '"larger"'), "two steps are called 'larger'")
        self.assert_refused(TWO_STEPS + "[[step]]\nname = 'x'\n", "the step names no kernel")
        self.assert_refused("kernel = 'zoom'\n" + TWO_STEPS, "no kernel and no parameters of its own")
        self.assert_refused(TWO_STEPS.replace('name = "smaller"', 'nme = "smaller"'), "'nme' is no key")
        with self.assertRaisesRegex(slab.UsageError, "no parameters of its own"):
            self.slabd.run([slab.step("zoom", factor=2)], self.array, factor=2)
        with self.assertRaisesRegex(slab.UsageError, "list of steps"):
            self.slabd.run(["zoom"], self.array)

    def test_a_pipeline_is_cancelled_as_one(self):
        np.save(self.input, np.zeros((100, 2048), np.int64))
        text = """
[[step]]
kernel = "test_slow"
parameters = { milliseconds = 50 }
[[step]]
kernel = "test_slow"
parameters = { milliseconds = 50 }
"""
        command = self.daemon.start_slab("run", self.job_file(text), self.input, "-o", self.directory / "no.npy")
        job = wait_until(lambda: next((job for job in self.slabd.jobs() if job["tiles_done"] > 0), None), "it runs")
        self.assert_exit(self.daemon.slab("cancel", job["id"]), EXIT_DONE)
        self.assertEqual(command.finish().code, EXIT_CANCELLED)
        self.daemon.wait_until_nothing_is_held()


class Each(Pipelines):
    def setUp(self):
        super().setUp()
        self.scans = {}
        for number in range(5):
            self.scans[f"scan{number}.npy"] = np.random.default_rng(number).random((20 + number, 30, 40), np.float32)
            np.save(self.directory / f"scan{number}.npy", self.scans[f"scan{number}.npy"])
        self.pattern, self.results = self.directory / "scan*.npy", self.directory / "results"

    def test_every_file_has_its_result(self):
        command = self.daemon.slab("run", self.job_file(TWO_STEPS), "--each", self.pattern, "--out-dir", self.results)
        self.assert_exit(command, EXIT_DONE)
        self.assertEqual(sorted(path.name for path in self.results.iterdir()), sorted(self.scans))
        for name, scan in self.scans.items():
            np.testing.assert_array_equal(np.load(self.results / name), self.one_by_one(scan))

    def test_a_kernel_alone_runs_on_each_too(self):
        command = self.daemon.slab("run", "zoom", "--factor", 2, "--order", 0, "--each", self.pattern, "--out-dir",
                                   self.results, "--json")
        self.assert_exit(command, EXIT_DONE)
        self.assertEqual([job["outcome"] for job in command.json()["jobs"]], 5 * ["done"])
        self.assertEqual(command.json()["failed"], [])
        self.assertEqual(np.load(self.results / "scan4.npy").shape, (48, 60, 80))

    def test_a_bad_file_fails_alone_and_is_listed_at_the_end(self):
        (self.directory / "scan2.npy").write_bytes(b"no array")
        with open(self.directory / "scan3.npy", "r+b") as file:
            file.truncate(1000)
        arguments = ["run", self.job_file(TWO_STEPS), "--each", self.pattern, "--out-dir", self.results]
        command = self.daemon.slab(*arguments)
        self.assertNotEqual(command.code, EXIT_DONE)
        self.assertEqual(sorted(path.name for path in self.results.iterdir()), ["scan0.npy", "scan1.npy", "scan4.npy"])
        self.assertIn("2 of 5 files failed", command.err)
        listed = command.err[command.err.index("2 of 5"):]
        self.assertLess(listed.index("scan2.npy"), listed.index("scan3.npy"))

        again = self.daemon.slab(*arguments, "--json")
        self.assertEqual(len(again.json()["failed"]), 5)  # three exist already: nothing is overwritten unasked
        self.daemon.wait_until_nothing_is_held()

    def test_the_next_file_is_loaded_while_this_one_is_computed(self):
        for name in self.scans:
            np.save(self.directory / name, np.zeros((60, 2048), np.int64))
        command = self.daemon.start_slab("run", "test_slow", "--milliseconds", 20, "--each", self.pattern, "--out-dir",
                                         self.results)
        wait_until(lambda: len(self.slabd.jobs()) == 2, "two jobs are under way")
        self.assert_exit(command.finish(), EXIT_DONE)

    def test_what_each_refuses(self):
        (self.directory / "other").mkdir()
        np.save(self.directory / "other" / "scan0.npy", self.array)
        for arguments, what in ((["--each", self.directory / "none*", "--out-dir", self.results], "matches no file"),
                                (["--each", self.pattern, "-o", self.directory / "no.npy"], "one result for every file"),
                                (["--out-dir", self.results], "for the results of --each"),
                                (["--each", self.pattern, "--each", self.directory / "other" / "*", "--out-dir",
                                  self.results], "two results would be"),
                                (["--each", self.pattern, "--out-dir", self.input / "x"], "folder cannot be made")):
            command = self.daemon.slab("run", "zoom", "--factor", 2, *arguments)
            self.assert_exit(command, EXIT_USAGE)
            self.assertRegex(command.err, what)
        command = self.daemon.slab("run", "zoom", "--factor", 2, "--each", self.pattern)
        self.assertIn("nowhere to go", command.err)


if __name__ == "__main__":
    unittest.main()
