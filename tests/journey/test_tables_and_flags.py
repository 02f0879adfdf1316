"""Tables and flags from the user's fingers to a kernel's plan: the kernel test_table answers with what it was given."""

import json
import os
import time
import unittest

import numpy as np

import slab
from raw_client import RawClient, memfd_of, submit_request
from slab.sealed_memory import sealed_memfd
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE, EXIT_USAGE
from waiting import wait_until

SPM = """   1.0000000e+00  -2.5000000e-01   3.0000000e-03   0.0000000e+00   1.0000000e-07   6.0000000e+00
  -1.0000000e+00   2.5000000e-01   3.0000000e-03   0.0000000e+00   1.0000000e-07   7.0000000e+00
"""
SPM_TABLE = np.array([line.split() for line in SPM.splitlines()], float)


def told(table, antialias=False):
    """What test_table answers."""
    flat = np.asarray(table, float).reshape(len(table), -1)
    in_order = 0.0
    for place, number in enumerate(flat.ravel(), 1):
        in_order += place * number
    return np.array([*flat.shape, in_order, flat.ravel()[-1], antialias], float)


class TablesAndFlags(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(test_kernels=True, workers=1, volume="64MiB")
        self.slabd = self.daemon.connect()
        self.input, self.output = self.directory / "in.npy", self.directory / "out.npy"
        np.save(self.input, np.zeros(3, np.uint8))

    def run_with(self, *options, inputs=None):
        """The kernel's answer to `slab run`."""
        command = self.daemon.slab("run", "test_table", *(inputs or [self.input]), "-o", self.output, "--overwrite",
                                   *options)
        self.assert_exit(command, EXIT_DONE)
        return np.load(self.output)

    def assert_refused(self, *options, **patterns):
        command = self.daemon.slab("run", "test_table", self.input, "-o", self.directory / "no.npy", *options)
        self.assert_exit(command, EXIT_USAGE)
        self.assertRegex(command.err, r"^error: .*\n(because: .*\n)?try: .*\n$")
        for start, pattern in patterns.items():
            self.assertRegex(command.err, rf"(?m)^{start}: .*{pattern}")
        self.assertFalse((self.directory / "no.npy").exists())

    def write(self, name, text):
        (self.directory / name).write_text(text)
        return self.directory / name


class CommandLine(TablesAndFlags):
    def test_text_files_of_every_package(self):
        for name, text in (("rp_scan.txt", SPM), ("mcf.par", SPM.replace("   ", "  ") + "\n"),
                           ("motion.1D", "# roll pitch yaw dS dL dP\n" + SPM), ("motion.csv", "\n".join(
                               ",".join(map(repr, row)) for row in SPM_TABLE.tolist()))):
            with self.subTest(name):
                np.testing.assert_array_equal(self.run_with("--transforms", self.write(name, text)),
                                              told(SPM_TABLE))
        np.savetxt(self.directory / "saved.txt", SPM_TABLE, header="by numpy")
        np.testing.assert_array_equal(self.run_with(f"--transforms={self.directory}/saved.txt"), told(SPM_TABLE))

    def test_npy_files_of_every_real_type_and_layout(self):
        table = np.arange(-6, 6).reshape(3, 4)
        path = self.directory / "table.npy"
        for dtype in ("i1", "<i2", ">i4", "<i8", "<f4", ">f4", "<f8", ">f8"):
            for order in "CF":
                with self.subTest(dtype=dtype, order=order):
                    np.save(path, np.asarray(table, dtype, order=order))
                    np.testing.assert_array_equal(self.run_with("--transforms", path), told(table))
        np.save(path, np.asfortranarray(np.arange(32.0).reshape(2, 4, 4)))
        np.testing.assert_array_equal(self.run_with("--transforms", path), told(np.arange(32).reshape(2, 16)))
        np.save(path, np.arange(4.0))
        np.testing.assert_array_equal(self.run_with("--transforms", path), told([range(4)]))

    def test_typed_numbers_and_the_default(self):
        np.testing.assert_array_equal(self.run_with("--transforms", "1,0,0,-1"), told([[1, 0, 0, -1]]))
        np.testing.assert_array_equal(self.run_with("--transforms", "-1,0;0,2.5;3,4"), told([[-1, 0], [0, 2.5], [3, 4]]))
        np.testing.assert_array_equal(self.run_with(), told([[1, 0], [0, 1]]))

    def test_a_file_takes_precedence_over_numbers(self):
        self.write("1,2", "7 8\n")
        command = self.daemon.slab("run", "test_table", self.input, "-o", self.output, "--transforms", "1,2",
                                   cwd=self.directory)
        self.assert_exit(command, EXIT_DONE)
        np.testing.assert_array_equal(np.load(self.output), told([[7, 8]]))

    def test_a_flag_does_not_eat_the_input(self):
        default = [[1, 0], [0, 1]]
        np.testing.assert_array_equal(self.run_with("--antialias"), told(default, True))
        np.testing.assert_array_equal(self.run_with(inputs=["--antialias", self.input]), told(default, True))
        np.testing.assert_array_equal(self.run_with(inputs=["--antialias", "on", self.input]), told(default, True))
        np.testing.assert_array_equal(self.run_with(inputs=["--antialias", "off", self.input]), told(default))
        np.testing.assert_array_equal(self.run_with("--antialias=false"), told(default))
        job = self.daemon.slab("submit", "test_table", "--antialias", self.input, "--keep", "--json")
        self.assert_exit(job, EXIT_DONE)
        self.assertEqual(job.json()["note"]["inputs"], [str(self.input)])

    def test_a_flag_before_the_kernel_says_what_happened(self):
        command = self.daemon.slab("run", "--antialias", "test_table", self.input, "--keep")
        self.assert_exit(command, EXIT_USAGE)
        self.assertRegex(command.err, "because: .*'test_table' was taken for the value of --antialias")

    def test_what_is_no_table_is_refused(self):
        self.assert_refused("--transforms", "rp.txt", error="--transforms cannot be 'rp.txt'",
                            because="No such file or directory; .*'rp.txt' in row 1 is not a number")
        self.assert_refused("--transforms", "1,0;0", because="row 2 has 1 number where the others have 2")
        self.assert_refused("--transforms", self.write("a.txt", "1 2 3 4 5 6\n" * 6 + "1 2 3 4 5\n"),
                            because="line 7 has 5 numbers where the others have 6")
        self.assert_refused("--transforms", self.write("b.txt", "1 2\n3 4\n5 abc\n"),
                            because="'abc' in line 3 is not a number")
        self.assert_refused("--transforms", self.directory, because="folder")
        self.assert_refused("--transforms", self.write("c.txt", ""), because="no numbers")
        np.save(self.directory / "complex.npy", np.zeros((2, 2), complex))
        self.assert_refused("--transforms", self.directory / "complex.npy", error="real numbers")
        np.save(self.directory / "huge.npy", np.zeros((1000, 1001)))
        self.assert_refused("--transforms", self.directory / "huge.npy", because="1000000 numbers")
        self.assert_refused("--transforms", error="--transforms has no value")
        self.assert_refused("--antialias=maybe", error="antialias cannot be 'maybe'", because="on or off")
        self.assert_refused("--antialas", **{"try": "Did you mean --antialias"})

    def test_help_and_plan_tell_of_them(self):
        text = self.daemon.slab("kernels", "test_table").out
        self.assertIn("--transforms FILE", text)
        self.assertIn("--antialias [on|off]", text)
        self.assertRegex(text, r"default off")
        self.assertIn("1,0;0,1.", text)
        np.save(self.directory / "t.npy", np.zeros((5000, 16)))
        options = ["--transforms", self.directory / "t.npy", "--antialias", "--plan"]
        plan = self.daemon.slab("run", "test_table", self.input, *options, "--json").json()
        self.assertEqual(plan["parameters"], {"transforms": {"rows": 5000, "columns": 16}, "antialias": True})
        self.assertIn('transforms = {"rows":5000,"columns":16}',
                      self.daemon.slab("run", "test_table", self.input, *options).out)
        plan = self.daemon.slab("run", "test_table", self.input, "--transforms", "1,0;0,nan", "--plan", "--json").json()
        self.assertEqual(plan["parameters"]["transforms"], [[1, 0], [0, "nan"]])


class JobFile(TablesAndFlags):
    def run_file(self, parameters, *options):
        (self.directory / "jobs").mkdir(exist_ok=True)
        path = self.write("jobs/job.toml", f'kernel = "test_table"\ninputs = ["../in.npy"]\noutput = "../out.npy"\n'
                          f"overwrite = true\n[parameters]\n{parameters}\n")
        command = self.daemon.slab("run", path, *options)
        self.assert_exit(command, EXIT_DONE)
        return np.load(self.output)

    def test_nested_arrays_file_names_and_booleans(self):
        np.testing.assert_array_equal(self.run_file("transforms = [[1, 0.5], [0, 1]]\nantialias = true"),
                                      told([[1, 0.5], [0, 1]], True))
        self.write("rp.txt", SPM)
        np.testing.assert_array_equal(self.run_file('transforms = "../rp.txt"\nantialias = "off"'), told(SPM_TABLE))
        np.testing.assert_array_equal(self.run_file("transforms = [3, 4]\nantialias = false"), told([[3, 4]]))

    def test_the_command_line_takes_precedence(self):
        np.save(self.directory / "other.npy", np.zeros(5))
        np.testing.assert_array_equal(
            self.run_file("transforms = [3, 4]", "--transforms", "1;2", "--antialias", self.directory / "other.npy"),
            told([[1], [2]], True))


class Python(TablesAndFlags):
    def tell(self, table, **more):
        return self.slabd.run("test_table", np.zeros(3), transforms=table, **more)

    def test_arrays_and_lists(self):
        matrix = np.array([[1, 0.25], [-3, 1e-300]])
        large = np.random.default_rng(4).normal(size=(5000, 4, 4))
        for given, meant in ((matrix, matrix), (matrix.tolist(), matrix), (np.asfortranarray(matrix), matrix),
                             (matrix[::-1].astype(">f4"), matrix[::-1].astype("f4")), ([1, 2, 3], [[1, 2, 3]]),
                             (np.arange(3), [[0, 1, 2]]), (np.arange(20_000), [np.arange(20_000)]),
                             (((1, 2), (3, 4)), [[1, 2], [3, 4]]), ([matrix, matrix], [matrix, matrix]),
                             (list(np.arange(4).reshape(2, 2)), [[0, 1], [2, 3]]), (large, large),
                             (np.array([[True, False]]), [[1, 0]]), (np.float16([[1, 2]]), [[1, 2]]), (7, [[7]])):
            np.testing.assert_array_equal(self.tell(given), told(meant))

    def test_flags(self):
        for given, meant in ((True, True), (np.True_, True), (np.False_, False), ("on", True), (False, False)):
            np.testing.assert_array_equal(self.tell([[1]], antialias=given), told([[1]], meant))

    def test_numbers_that_are_not_finite_arrive(self):
        self.assertTrue(np.isnan(self.tell([[1, np.nan]])[3]))
        self.assertEqual(self.tell([[1, -np.inf]])[3], -np.inf)
        self.assertTrue(np.isnan(self.tell(np.full((100, 4), np.nan))[3]))

    def test_what_is_no_table_is_refused(self):
        for given, pattern in (([[1, 2], [3]], "row 2 has 1, the first 2"), ([[1, 2], 3], "row 2 has no length"),
                               (np.zeros((2, 2), complex), "complex128"), (np.zeros(2, complex), "complex128"),
                               (np.array([[None, 1]]), "object"), ([["a", "b"]], "<U1"), (np.zeros((2, 2, 2, 2)), "shape"),
                               (np.zeros((0, 3)), "shape"), ([[[[[[1]]]]]], "shape"), ([[]], "shape"), ([], "numbers"),
                               (np.zeros((1001, 1000)), "1000000"), ("rp.txt", "numpy.loadtxt"), ({"a": 1}, "dict")):
            with self.subTest(given=str(given)[:60]):
                with self.assertRaises(slab.UsageError) as caught:
                    self.tell(given)
                self.assertRegex(str(caught.exception), pattern)
                self.assertTrue(caught.exception.because and caught.exception.remedy, caught.exception)
        with self.assertRaises(slab.UsageError):
            self.tell([[1]], antialias=np.zeros((2, 2)))
        np.testing.assert_array_equal(self.tell([[1]]), told([[1]]))


class Restart(TablesAndFlags):
    def test_a_job_with_5000_transforms_survives_a_killed_daemon(self):
        table = np.random.default_rng(7).normal(size=(5000, 16))
        table[4999, 15] = np.inf
        table[17, 3] = 1e-310
        np.save(self.directory / "t.npy", table)
        self.daemon.arm("worker-before-tile")
        submitted = self.daemon.slab("submit", "test_table", "--antialias", self.input, "-o", self.output,
                                     "--transforms", self.directory / "t.npy", "--json")
        self.assert_exit(submitted, EXIT_DONE)
        job = submitted.json()["id"]
        self.daemon.wait_stopped("worker-before-tile")
        self.assertTrue(self.daemon.slab("show", job, "--json").json()["durable"])

        self.daemon.kill()
        self.daemon.start()
        self.assertEqual(self.daemon.slab("show", job, "--json").json()["state"], "interrupted")
        resumed = self.daemon.slab("resume", job)

        self.assert_exit(resumed, EXIT_DONE)
        np.testing.assert_array_equal(np.load(self.output), told(table, True))
        shown = self.daemon.slab("show", job, "--json").json()["parameters"]
        self.assertEqual(shown, {"transforms": {"rows": 5000, "columns": 16}, "antialias": True})
        self.assertEqual(self.daemon.stop(), [])
        self.daemon.start()
        self.assertEqual(self.daemon.slab("show", job, "--json").json()["parameters"], shown)
        wait_until(lambda: (self.daemon.journal / "journal").stat().st_size < 100_000,
                   "the journal is rewritten, and without a table that nobody needs any more")

    def test_the_largest_table_is_durable_too(self):
        np.save(self.directory / "t.npy", np.arange(1e6).reshape(1000, 1000))

        command = self.daemon.slab("run", "test_table", self.input, "-o", self.output, "--transforms",
                                   self.directory / "t.npy", "--json")

        self.assert_exit(command, EXIT_DONE)
        self.assertTrue(command.json()["durable"])
        np.testing.assert_array_equal(np.load(self.output)[[0, 1, 3]], [1000, 1000, 999_999])


class Wire(TablesAndFlags):
    """Garbage in place of tables: errors of three parts on a connection that goes on."""

    def answer_to(self, parameters, text=None):
        array = np.zeros(3)
        with RawClient(self.daemon) as client:
            request = submit_request("test_table", array, parameters=parameters)
            content = json.dumps(request).encode()
            if text is not None:
                content = content.replace(b'"PLACE"', text)
            memfds = [memfd_of(array)]
            try:
                if len(content) > 100_000:
                    memfds.insert(0, sealed_memfd("test", content))
                    content = b'{"in_descriptor":%d}' % len(content)
                client.send(content, memfds)
            finally:
                for memfd in memfds:
                    os.close(memfd)
            return client.receive()

    def test_garbage_is_refused(self):
        for value in ([[1, 2], [3]], [[1], 2], [[1], "2"], [[1], [None]], [[1], [True]], [["x"]], [["1e5"]], [[[1]]], [[]],
                      {}, {"a": 1}, {"rows": 1, "columns": 1}, {"rows": 1, "columns": 1, "float64": 3},
                      {"rows": 1, "columns": 1, "float64": "AAAA"}, {"rows": -1, "columns": -1, "float64": "AAAAAAAA8D8="},
                      {"rows": 2**62, "columns": 8, "float64": ""}, {"rows": 2**64, "columns": 1, "float64": ""},
                      {"rows": 1.5, "columns": 1, "float64": "AAAAAAAA8D8="}, {"rows": 10**6, "columns": 2, "float64": ""},
                      [0] * 10_001, [[0] * 10_001], [[0]] * 10_001, "1;2,3", "", [None], [{}], [[{}]]):
            with self.subTest(value=str(value)[:60]):
                error = self.answer_to({"transforms": value})["error"]
                self.assertEqual(error["kind"], "usage")
                self.assertTrue(error["what"] and error["because"] and error["remedy"], error)
        for value in (1, 0, "yes", [True, False], [[1]], {}, "ON"):
            with self.subTest(flag=str(value)):
                error = self.answer_to({"antialias": value})["error"]
                self.assertTrue(error["what"] and error["because"] and error["remedy"], error)
        np.testing.assert_array_equal(self.slabd.run("test_table", np.zeros(3), transforms=[[1]]), told([[1]]))

    def test_what_is_nested_too_deeply_does_not_end_the_daemon(self):
        for depth in (63, 1000, 10_000_000):
            with self.subTest(depth=depth):
                answer = self.answer_to({"transforms": "PLACE"}, b"[" * depth + b"]" * depth)
                error = answer["error"]
                self.assertTrue(error["what"] and error["because"] and error["remedy"], error)
        np.testing.assert_array_equal(self.slabd.run("test_table", np.zeros(3), transforms=[[1]]), told([[1]]))

    def test_a_table_of_5000_rows_does_not_keep_others_waiting(self):
        table = np.random.default_rng(7).normal(size=(5000, 16))
        with self.daemon.connect() as other:
            def request_s(**parameters):
                begin = time.perf_counter()
                other.plan("test_table", np.zeros(3), **parameters)
                return time.perf_counter() - begin
            small = min(request_s(transforms=[[1]]) for _ in range(20))
            large = min(request_s(transforms=table) for _ in range(20))
        self.assertLess(large - small, 0.05)


if __name__ == "__main__":
    unittest.main()
