"""A file is the same, bit for bit, whether the volume held all of the job or a twentieth of it."""

import filecmp
import itertools
import os
import unittest

import numpy as np

from hand_loops import checkered, zoomed_by_round
from raw_client import RawClient
from started_command import EXIT_DONE
from waiting import wait_until
from whole_and_streamed import WholeAndStreamed

# Rows of a size that no page divides: every border of a band lies within one.
GROWING = (61, 301, 403)
SHRINKING = (151, 605, 507)
CONVENTIONS = (["--convention", "scipy", "--order", 0], ["--convention", "scipy-grid", "--order", 0],
               ["--convention", "round"], ["--convention", "floor"])


class StreamingIsInvisible(WholeAndStreamed):
    def test_zoom_of_every_convention_growing_and_shrinking(self):
        for (name, shape, factor), convention in itertools.product(
                (("growing", GROWING, "2,1.5,1.7"), ("shrinking", SHRINKING, "0.6,0.77,0.35")), CONVENTIONS):
            with self.subTest(name, convention=convention[1]):
                self.assert_invisible("zoom", self.save(checkered(shape)), "--factor", factor, *convention)

    def test_zoom_of_every_size_of_element(self):
        for dtype in ("?", "i2", "f4", "f8", "c16"):
            with self.subTest(dtype):
                size = np.dtype(dtype).itemsize
                array = checkered((45, 211, 805 // size), dtype)
                self.assert_invisible("zoom", self.save(array), "--factor", "2,1.5,1.7", *CONVENTIONS[2])

    def test_zoom_of_the_other_byte_order(self):
        for dtype in (">u2", ">f4", ">c16"):
            with self.subTest(dtype):
                array = checkered((45, 211, 805 // np.dtype(dtype).itemsize)).astype(dtype)
                self.assert_invisible("zoom", self.save(array), "--factor", "2,1.5,1.7", *CONVENTIONS[2])
                np.testing.assert_array_equal(np.load(self.streamed), zoomed_by_round(array, (2, 1.5, 1.7)))

    def test_zoom_in_fortran_order(self):
        for dtype in ("u1", ">i4"):
            with self.subTest(dtype):
                array = np.asfortranarray(checkered((403 // np.dtype(dtype).itemsize, 301, 61)).astype(dtype))
                self.assert_invisible("zoom", self.save(array), "--factor", "2,1.5,1.7", *CONVENTIONS[0])
                self.assertTrue(np.load(self.streamed, mmap_mode="r").flags.f_contiguous)

    def test_zoom_of_one_axis_of_two_and_of_five(self):
        for shape, factor in (((9_000_001,), "2"), ((10_007, 1003), "1.5,1"), ((1, 1, 5000, 40, 51), "1,1,2,1,2"),
                              ((31, 7, 11, 13, 201), "2,1,1,2,1")):
            with self.subTest(shape=shape):
                self.assert_invisible("zoom", self.save(checkered(shape)), "--factor", factor, *CONVENTIONS[3])

    def test_zoom_that_stands_still_along_the_bands(self):
        """Every band border falls between two rows of the input; with other factors within one."""
        self.assert_invisible("zoom", self.save(checkered((203, 301, 403))), "--factor", "1,1,1.9", *CONVENTIONS[2])

    def test_outer_of_a_long_y_of_equal_vectors_and_of_one_row(self):
        for rows, columns in ((300_007, 31), (3001, 3003), (1, 9_000_001)):
            for dtype in ("f8", ">i4"):
                with self.subTest(rows=rows, columns=columns, dtype=dtype):
                    inputs = [self.directory / "y.npy", self.directory / "x.npy"]
                    np.save(inputs[0], checkered((rows,)).astype(dtype))
                    np.save(inputs[1], checkered((columns,)).astype(dtype))
                    self.assert_invisible("outer", inputs)

    def test_outer_of_a_long_x_streams_beside_it(self):
        """x is needed whole; with a row of the output beside it that is more than a twentieth."""
        np.save(self.directory / "y.npy", checkered((31,)).astype("f8"))
        np.save(self.directory / "x.npy", checkered((300_007,)).astype("f8"))
        run = ["run", "outer", self.directory / "y.npy", self.directory / "x.npy", "--overwrite", "--json"]
        self.assert_exit(self.daemon.slab(*run, "-o", self.whole), EXIT_DONE)

        streamed = self.daemon.slab(*run, "-o", self.streamed, "--max-memory", "12MiB")

        self.assert_exit(streamed, EXIT_DONE)
        self.assertGreater(streamed.json()["bands"], 5)
        self.assertTrue(filecmp.cmp(self.whole, self.streamed, shallow=False))

    def test_raw_bytes_at_odd_places_of_both_files(self):
        array = checkered((61, 301, 403))
        expected = zoomed_by_round(array, 2).tobytes()
        for input_offset, output_offset in ((0, 1), (13, 4095), (4097, 4096 + 511), (4096, 0)):
            with self.subTest(input_offset=input_offset, output_offset=output_offset):
                source, target = self.directory / "in.raw", self.directory / "out.raw"
                source.write_bytes(b"x" * input_offset + array.tobytes() + b"y" * 77)
                target.write_bytes(b"before" * 1000)

                job = self.run_raw(array, source, input_offset, target, output_offset)

                self.assertGreater(job["bands"], 5)
                written = target.read_bytes()
                self.assertEqual(written[:output_offset], (b"before" * 1000)[:output_offset])
                self.assertTrue(written[output_offset:output_offset + len(expected)] == expected, "the bytes differ")

    def run_raw(self, array, source, input_offset, target, output_offset):
        request = {"request": "submit", "tag": 1, "kernel": "zoom", "max_memory": "4MiB",
                   "parameters": {"factor": [2, 2, 2], "convention": "round"},
                   "inputs": [{"dtype": array.dtype.str, "shape": list(array.shape), "descriptor": 0,
                               "offset": input_offset}],
                   "output": {"descriptor": 1, "offset": output_offset}}
        with RawClient(self.daemon) as client, open(source, "rb") as read, open(target, "r+b") as write:
            answer = client.ask(request, [read.fileno(), write.fileno()])
            job = answer["job"]["id"]

            def ended():
                record = client.ask({"request": "show", "tag": 2, "job": job})["job"]
                return record if record["state"] == "ended" else None
            record = wait_until(ended, "the job ends")
        self.assertEqual(record["outcome"], "done", record["error"])
        return record


if __name__ == "__main__":
    unittest.main()
