"""Every bad input is one error that says what, why and what to do, with its exit code, and leaves nothing behind."""

import pathlib
import unittest

import numpy as np

from build_tree import SLAB
from process_table import open_descriptors
from slab_harness import DaemonTestCase
from started_command import EXIT_NO_DAEMON, EXIT_REFUSED, EXIT_USAGE, start_command
from waiting import wait_until

ROUND = ["--convention", "round"]


def npy(descr, shape, payload=b"", length=118):
    """A .npy file with any header."""
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}}}"
    header = text.ljust(length - 1).encode() + b"\n"
    return np.lib.format.magic(1, 0) + len(header).to_bytes(2, "little") + header + payload


class BadInput(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(volume="64MiB")
        self.slabd = self.daemon.connect()
        self.input, self.output = self.directory / "in.npy", self.directory / "out.npy"
        np.save(self.input, np.zeros((4, 5, 6), np.uint8))

    def assert_turned_away(self, *arguments, code=EXIT_USAGE, because=None, remedy=None, what=None):
        """One error, of three lines at most, that says what is expected; and everything is as it was before."""
        files = self.files()
        command = self.daemon.slab(*arguments)

        self.assert_exit(command, code)
        self.assertEqual(command.out, "")
        lines = command.err.strip().splitlines()
        starts = [line.split(" ")[0] for line in lines]
        self.assertIn(starts, (["error:"], ["error:", "because:"], ["error:", "try:"], ["error:", "because:", "try:"]),
                      command.err)
        for start, pattern in (("error:", what), ("because:", because), ("try:", remedy)):
            if pattern is not None:
                self.assertRegex("\n".join(line for line in lines if line.startswith(start)), pattern)
        self.assertEqual(self.files(), files)
        self.assertEqual(self.daemon.held_bytes(), 0)
        self.assertEqual(self.slabd.jobs(), [])

    def zoom(self, *options, source=None, output=None):
        return ["run", "zoom", source or self.input, "-o", output or self.output, *options]

    def test_files_that_are_no_arrays(self):
        bad = self.directory / "bad.npy"
        huge = 2**63 - 1
        for what, content, because in (
                ("empty", b"", r"\w"), ("text", b"hello, world\n" * 10, r"\w"), ("magic alone", b"\x93NUMPY", r"\w"),
                ("half a header", npy("<f4", (3,))[:40], r"\w"),
                ("unknown version", b"\x93NUMPY\x09\x00\x10\x00", r"\w"),
                ("truncated", npy("<f4", (100,), b"x" * 399), "399|400|B"),
                ("no data", npy("<f4", (100,)), r"\w"),
                ("overflowing shape", npy("<f8", (huge, huge), b"x" * 64), r"\w"),
                ("overflowing bytes", npy("<f8", (2**61,), b"x" * 64), r"\w"),
                ("larger than the file", npy("<f8", (2**40,), b"x" * 64), r"\w"),
                ("negative extent", npy("<f8", (-4,), b"x" * 64), r"\w"),
                ("six dimensions", npy("|u1", (1, 1, 1, 1, 1, 1), b"x"), "5"),
                ("object", npy("|O", (3,), b"x" * 64), r"\w"),
                ("text elements", npy("<U3", (3,), b"x" * 64), r"\w"),
                ("half floats", npy("<f2", (3,), b"x" * 64), r"\w"),
                ("a record", npy([("a", "<i4")], (3,), b"x" * 64), r"\w"),
                ("a header that is code", npy("<f4", "__import__('os').abort()", b"x" * 64), r"\w")):
            with self.subTest(what):
                bad.write_bytes(content)
                self.assert_turned_away(*self.zoom("--factor", 2, *ROUND, source=bad), what="bad.npy", because=because)

    def test_paths_that_are_no_files(self):
        for path, because in ((self.directory / "missing.npy", "No such file"), (self.directory, r"\w"),
                              (pathlib.Path("/dev/null"), r"\w")):
            with self.subTest(path=path):
                self.assert_turned_away(*self.zoom("--factor", 2, *ROUND, source=path), because=because, remedy=r"\w")

    def test_factors_that_make_no_array(self):
        for factor in ("0", "-1", "nan", "inf", "0.01", "1e300", "2,2", "2,2,2,2", "two", ""):
            with self.subTest(factor=factor):
                self.assert_turned_away(*self.zoom(f"--factor={factor}", *ROUND), remedy=r"\w")

    def test_an_output_of_2_to_the_63_bytes_and_more(self):
        for factor in ("1e6", "1e7", "3e18,1,1"):
            with self.subTest(factor=factor):
                command = self.daemon.slab(*self.zoom("--factor", factor, *ROUND))
                self.assertIn(command.code, (EXIT_USAGE, EXIT_REFUSED), command.err)
                self.assertRegex(command.err, "^error: ")
                self.assertEqual(self.files(), ["in.npy"])

    def test_shapes_that_make_no_array(self):
        for shape in ("0,1,1", "-1,2,3", "1,2", "9223372036854775808,1,1", "1.5,1,1"):
            with self.subTest(shape=shape):
                self.assert_turned_away(*self.zoom(f"--shape={shape}", *ROUND))

    def test_parameters_that_contradict_or_are_missing(self):
        for options in (ROUND, ["--factor", 2, "--shape", "8,10,12", *ROUND], ["--factor", 2, "--convention", "round", "--order", 1],
                        ["--factor", 2, "--order", 6], ["--factor", 2, "--mode", "mirrored"],
                        ["--factor", 2, "--order", 1, "--cval", "nan"]):
            with self.subTest(options=options):
                self.assert_turned_away(*self.zoom(*options), remedy=r"\w")

    def test_an_unknown_kernel_names_the_nearest(self):
        self.assert_turned_away("run", "zooom", self.input, "-o", self.output, what="zooom", remedy="zoom")

    def test_an_unknown_parameter_names_the_nearest(self):
        self.assert_turned_away(*self.zoom("--factro", 2, *ROUND), what="factro", remedy="factor")

    def test_an_unknown_choice_names_the_choices_or_the_nearest(self):
        self.assert_turned_away(*self.zoom("--factor", 2, "--convention", "rouund"), what="rouund")

    def test_an_unknown_command_or_option_is_a_usage_error(self):
        for arguments in (["rnu"], ["ps", "--al"], ["run"], ["wait"], ["fetch", "1"]):
            with self.subTest(arguments=arguments):
                command = self.daemon.slab(*arguments)
                self.assert_exit(command, EXIT_USAGE)
                self.assertIn("error: ", command.err)

    def test_an_existing_output_is_kept(self):
        self.output.write_bytes(b"precious")

        self.assert_turned_away(*self.zoom("--factor", 2, *ROUND), what="exists", remedy="--overwrite")

        self.assertEqual(self.output.read_bytes(), b"precious")

    def test_outputs_that_cannot_be_written(self):
        for output in (self.directory / "no/such/folder/out.npy", self.directory / "folder.npy",
                       pathlib.Path("/sys/out.npy"), self.directory / "out.tiff", self.directory / "out"):
            with self.subTest(output=output):
                (self.directory / "folder.npy").mkdir(exist_ok=True)
                self.assert_turned_away(*self.zoom("--factor", 2, *ROUND, output=output), remedy=r"\w")

    def test_neither_output_nor_keep_is_a_usage_error(self):
        self.assert_turned_away("run", "zoom", self.input, "--factor", 2, *ROUND, remedy="-o|--keep")

    def test_the_wrong_number_of_inputs(self):
        self.assert_turned_away("run", "outer", self.input, "-o", self.output, remedy=r"\w")
        self.assert_turned_away("run", "zoom", "-o", self.output, "--factor", 2, *ROUND)

    def test_raw_input_that_does_not_fit_its_file(self):
        raw = self.directory / "in.raw"
        raw.write_bytes(b"x" * 100)
        for options in ([], ["--input-dtype", "u1"], ["--input-shape", "10,10"],
                        ["--input-dtype", "u2", "--input-shape", "10,10"],
                        ["--input-dtype", "u1", "--input-shape", "9,10"],
                        ["--input-dtype", "f2", "--input-shape", "50"],
                        ["--input-dtype", "u1", "--input-shape", "10,x"],
                        ["--input-dtype", "u1", "--input-shape", "4294967296,4294967296,4"]):
            with self.subTest(options=options):
                self.assert_turned_away(*self.zoom("--factor", 2, *ROUND, *options, source=raw), remedy=r"\w")

    def test_a_job_that_can_never_fit_is_refused_with_the_numbers(self):
        self.assert_turned_away(*self.zoom("--factor", 200, "--keep", *ROUND), code=EXIT_REFUSED,
                                because=r"\d.*B.*\d.*B", remedy="file instead")

    def test_a_job_beyond_its_own_max_memory_is_refused(self):
        self.assert_turned_away(*self.zoom("--factor", 4000, "--max-memory", "2MiB", *ROUND), code=EXIT_REFUSED,
                                because=r"at least \d.*B", remedy="--max-memory")

    def test_a_hundred_bad_jobs_leak_no_descriptor(self):
        self.slabd.status()
        descriptors = open_descriptors(self.daemon.pid)
        for number in range(100):
            with self.assertRaises(Exception):
                self.slabd.run("zoom", np.zeros(4), factor=-number, convention="round")
        wait_until(lambda: open_descriptors(self.daemon.pid) <= descriptors, "as many descriptors as before")


class NoDaemon(unittest.TestCase):
    def test_a_socket_where_nobody_listens_is_exit_4(self):
        command = start_command([SLAB, "ps", "--socket", "/nonexistent/slabd.sock"]).finish()

        self.assertEqual(command.code, EXIT_NO_DAEMON, command.err)
        self.assertRegex(command.err, r"error: (.*\n)+try: \w")


if __name__ == "__main__":
    unittest.main()
