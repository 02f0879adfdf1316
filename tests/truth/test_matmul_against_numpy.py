"""matmul against numpy's: shapes, stacks, vectors, both memory orders; sums in twice the precision are the judge."""

import itertools
import unittest

import numpy as np

import slab
from slab_harness import SharedDaemonTestCase

PRECISION = {"f4": 2e-7, "c8": 2e-7, "f8": 4e-16, "c16": 4e-16}


def values(rng, shape, dtype):
    array = rng.uniform(-1, 1, shape)
    return (array + 1j * rng.uniform(-1, 1, shape) if np.dtype(dtype).kind == "c" else array).astype(dtype)


class MatmulAgainstNumpy(SharedDaemonTestCase):
    def check(self, a, b, dtype):
        result = self.slabd.run("matmul", a, b)

        wide = np.clongdouble if np.dtype(dtype).kind == "c" else np.longdouble
        expected = np.matmul(a.astype(wide), b.astype(wide))
        self.assertEqual((result.shape, result.dtype), (expected.shape, np.dtype(dtype)))
        # Rounding grows with the sums, whose order is OpenBLAS's: numpy's own error is the measure.
        self.assertLessEqual(np.abs(result - expected).max(), 4 * np.abs(np.matmul(a, b) - expected).max() + 2 * PRECISION[dtype])

    def test_matrices(self):
        rng = np.random.default_rng(1)
        sizes = ((1, 1, 1), (1, 5, 1), (7, 1, 9), (3, 4, 5), (65, 130, 33), (1, 200, 301), (301, 200, 1), (260, 31, 515))
        for dtype, (m, k, n) in itertools.product(PRECISION, sizes):
            with self.subTest(dtype=dtype, m=m, k=k, n=n):
                self.check(values(rng, (m, k), dtype), values(rng, (k, n), dtype), dtype)

    def test_more_than_one_block_of_real_matrices(self):
        rng = np.random.default_rng(2)
        for dtype in ("f4", "f8"):
            with self.subTest(dtype=dtype):
                a, b = values(rng, (1500, 70), dtype), values(rng, (70, 2100), dtype)
                result = self.slabd.run("matmul", a, b)
                self.assertLessEqual(np.abs(result - a.astype("f8") @ b.astype("f8")).max(), 40 * PRECISION[dtype])

    def test_stacks_and_vectors(self):
        rng = np.random.default_rng(3)
        pairs = (((5,), (5, 7)), ((7, 5), (5,)), ((4, 7, 5), (4, 5, 6)), ((4, 7, 5), (5, 6)), ((7, 5), (4, 5, 6)),
                 ((3, 1, 7, 5), (4, 5, 6)), ((2, 3, 7, 5), (2, 3, 5, 6)), ((1, 2, 3, 7, 5), (3, 5, 6)), ((4, 7, 5), (5,)),
                 ((5,), (2, 3, 5, 6)))
        for dtype, (a, b) in itertools.product(PRECISION, pairs):
            with self.subTest(dtype=dtype, a=a, b=b):
                self.check(values(rng, a, dtype), values(rng, b, dtype), dtype)

    def test_fortran_order(self):
        rng = np.random.default_rng(4)
        for dtype in PRECISION:
            for a, b in (((30, 20), (20, 50)), ((30, 20), (20,)), ((20,), (20, 50))):
                with self.subTest(dtype=dtype, a=a, b=b):
                    self.check(np.asfortranarray(values(rng, a, dtype)), np.asfortranarray(values(rng, b, dtype)), dtype)

    def test_infinities_and_nans_stay_in_their_rows_and_columns(self):
        a, b = np.ones((40, 30)), np.ones((30, 50))
        a[3, 4], b[5, 6] = np.nan, np.inf

        result = self.slabd.run("matmul", a, b)

        np.testing.assert_array_equal(result, a @ b)

    def test_tiles_and_memory_do_not_show(self):
        rng = np.random.default_rng(5)
        a, b = values(rng, (700, 300), "f4"), values(rng, (300, 650), "f4")

        result = self.slabd.run("matmul", a, b)

        for options in ({"tile_bytes": 4096}, {"tile_bytes": "64KiB"}):
            with self.subTest(**options):
                np.testing.assert_array_equal(self.slabd.run("matmul", a, b, **options), result)

    def test_what_does_not_fit_together_is_refused_with_both_shapes(self):
        for a, b, part in ((np.ones((3, 4)), np.ones((5, 6)), r"\(3, 4\).*\(5, 6\)"),
                           (np.ones(4), np.ones(4), "one number"), (np.ones((2, 3, 4)), np.ones((5, 4, 6)), "broadcast"),
                           (np.ones((3, 4)), np.ones((4, 3), "f4"), "float64.*float32"),
                           (np.ones((3, 4), "i4"), np.ones((4, 3), "i4"), "int32")):
            with self.subTest(a=a.shape, b=b.shape):
                with self.assertRaisesRegex(slab.UsageError, f"(?s){part}"):
                    self.slabd.run("matmul", a, b)


if __name__ == "__main__":
    unittest.main()
