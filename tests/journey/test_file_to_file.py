"""`slab run zoom in.npy -o out.npy`: every layout of input, and a file that numpy opens."""

import unittest

import numpy as np

from hand_loops import checkered, zoomed_by_round
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE

ZOOM = ["--factor", 2, "--convention", "round"]
JSON_KEYS = {"id", "state", "kernel", "tiles", "tiles_repeated", "workers", "workers_lost", "bands", "bytes_in",
             "bytes_out", "load_s", "compute_s", "flush_s", "wall_s", "simd", "peak_volume_bytes"}


class FileToFile(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon()
        self.input = self.directory / "in.npy"
        self.output = self.directory / "out.npy"

    def run_zoom(self, *more, source=None, output=None):
        command = self.daemon.slab("run", "zoom", source or self.input, "-o", output or self.output, *ZOOM, *more)
        self.assert_exit(command, EXIT_DONE)
        return command

    def test_numpy_opens_the_result_also_as_a_memmap(self):
        array = checkered((20, 30, 40), np.float32)
        np.save(self.input, array)

        self.run_zoom()

        expected = zoomed_by_round(array, 2)
        for mode in (None, "r", "r+"):
            result = np.load(self.output, mmap_mode=mode)
            np.testing.assert_array_equal(result, expected)
            self.assertEqual(result.dtype, np.float32)
        self.assertEqual(self.files(), ["in.npy", "out.npy"])

    def test_every_dtype_and_byte_order_is_read(self):
        for dtype in ("?", "u1", "i1", "<u2", ">u2", "<i4", ">i4", ">u8", "<f4", ">f4", ">f8", "<c8", ">c16"):
            with self.subTest(dtype=dtype):
                array = checkered((5, 6, 7)).astype(dtype)
                np.save(self.input, array)

                self.run_zoom("--overwrite")

                result = np.load(self.output)
                np.testing.assert_array_equal(result, zoomed_by_round(array, 2))
                self.assertEqual(result.dtype, array.dtype.newbyteorder("="))

    def test_fortran_order_is_read_as_numpy_reads_it(self):
        array = np.asfortranarray(checkered((5, 33, 70), np.int16))
        np.save(self.input, array)

        self.run_zoom()

        np.testing.assert_array_equal(np.load(self.output), zoomed_by_round(array, 2))

    def test_every_npy_version_is_read(self):
        array = checkered((9, 10))
        for version in ((1, 0), (2, 0), (3, 0)):
            with self.subTest(version=version):
                with self.input.open("wb") as file:
                    np.lib.format.write_array(file, array, version)

                self.run_zoom("--overwrite")

                np.testing.assert_array_equal(np.load(self.output), zoomed_by_round(array, 2))

    def test_a_header_of_any_length_is_followed_by_the_data(self):
        array = checkered((64, 65), np.uint16)
        for length in (118, 119, 4086, 5000, 65000):  # the data start 10 bytes later: at 128, 129, 4096, ...
            with self.subTest(length=length):
                text = f"{{'descr': '<u2', 'fortran_order': False, 'shape': {array.shape}}}"
                header = np.lib.format.magic(1, 0) + length.to_bytes(2, "little") + text.ljust(length - 1).encode()
                self.input.write_bytes(header + b"\n" + array.tobytes())

                self.run_zoom("--overwrite")

                np.testing.assert_array_equal(np.load(self.output), zoomed_by_round(array, 2))

    def test_raw_bytes_are_read_and_written(self):
        array = checkered((6, 7, 8)).astype(">u2")
        raw, output = self.directory / "in.raw", self.directory / "out.raw"
        raw.write_bytes(array.tobytes())

        self.run_zoom("--input-dtype", ">u2", "--input-shape", "6,7,8", source=raw, output=output)

        result = np.fromfile(output, "<u2").reshape(12, 14, 16)
        np.testing.assert_array_equal(result, zoomed_by_round(array, 2))

    def test_raw_bytes_in_fortran_order_behind_an_offset_are_read(self):
        array = checkered((6, 7, 8), np.float64)
        raw = self.directory / "in.bin"
        raw.write_bytes(b"x" * 13 + array.tobytes("F"))

        self.run_zoom("--input-dtype", "float64", "--input-shape", "6,7,8", "--input-order", "F", "--input-offset", 13,
                      source=raw)

        np.testing.assert_array_equal(np.load(self.output), zoomed_by_round(array, 2))

    def test_a_result_of_many_megabytes_and_an_odd_size_is_whole(self):
        array = checkered((101, 203, 307), np.uint16)
        np.save(self.input, array)

        self.run_zoom()

        np.testing.assert_array_equal(np.load(self.output, mmap_mode="r"), zoomed_by_round(array, 2))

    def test_overwrite_replaces_the_file_as_a_whole(self):
        array = checkered((5, 6))
        np.save(self.input, array)
        np.save(self.output, np.zeros(1000))
        old = np.load(self.output, mmap_mode="r")

        self.run_zoom("--overwrite")

        np.testing.assert_array_equal(np.load(self.output), zoomed_by_round(array, 2))
        self.assertEqual(old.sum(), 0)  # who has the old file open keeps it
        self.assertEqual(self.files(), ["in.npy", "out.npy"])

    def test_the_report_has_every_promised_key_and_true_numbers(self):
        array = checkered((20, 30, 40))
        np.save(self.input, array)

        report = self.run_zoom("--json").json()

        self.assertEqual(JSON_KEYS - set(report), set())
        self.assertEqual((report["kernel"], report["bytes_in"], report["bytes_out"]), ("zoom", 24_000, 192_000))
        self.assertEqual((report["workers_lost"], report["tiles_repeated"], report["bands"]), (0, 0, 1))
        self.assertGreaterEqual(report["peak_volume_bytes"], 24_000 + 192_000)

    def test_progress_goes_to_stderr_only(self):
        np.save(self.input, checkered((20, 30, 40)))

        command = self.run_zoom("--json")

        self.assertEqual(command.out.count("\n"), 1)

    def test_two_inputs_are_taken_in_their_order(self):
        np.save(self.directory / "y.npy", np.array([1, 2, 3]))
        np.save(self.directory / "x.npy", np.array([10, 20]))

        command = self.daemon.slab("run", "outer", self.directory / "y.npy", self.directory / "x.npy",
                                   "-o", self.output)

        self.assert_exit(command, EXIT_DONE)
        self.assertEqual(np.load(self.output).tolist(), [[10, 20], [20, 40], [30, 60]])

    def test_plan_says_what_would_be_done_and_does_nothing(self):
        np.save(self.input, checkered((20, 30, 40)))

        plan = self.run_zoom("--plan", "--json").json()

        self.assertEqual((plan["output"]["shape"], plan["bytes_out"], plan["bands"]), ([40, 60, 80], 192_000, 1))
        self.assertEqual(self.files(), ["in.npy"])
        self.assertEqual(self.daemon.connect().jobs(all=True), [])


if __name__ == "__main__":
    unittest.main()
