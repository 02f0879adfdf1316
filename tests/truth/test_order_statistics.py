"""minimum, median and maximum against scipy.ndimage: every type, size, origin and mode; and what NaN does."""

import itertools
import unittest

import numpy as np
import scipy.ndimage

import slab
from slab_harness import SharedDaemonTestCase

SCIPYS = {"minimum": scipy.ndimage.minimum_filter, "median": scipy.ndimage.median_filter,
          "maximum": scipy.ndimage.maximum_filter}
MODES = ("reflect", "mirror", "nearest", "constant", "wrap")
DTYPES = ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")
EXACT = 2**53  # scipy computes in double


def values(rng, shape, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    if dtype.kind in "ui":
        limits = np.iinfo(dtype)
        return rng.integers(max(limits.min, -EXACT), min(limits.max, EXACT), shape, np.int64, endpoint=True).astype(dtype)
    return rng.standard_normal(shape).astype(dtype)


class AgainstScipy(SharedDaemonTestCase):
    def check(self, name, array, size, **options):
        with self.subTest(kernel=name, dtype=array.dtype, shape=array.shape, size=size, **options):
            result = self.slabd.run(name, array, size=size, **options)

            self.assertEqual(result.dtype, array.dtype)
            np.testing.assert_array_equal(result, SCIPYS[name](array, size=size, **options))

    def test_every_dtype(self):
        rng = np.random.default_rng(1)
        for name, dtype, size in itertools.product(SCIPYS, DTYPES, (3, (4, 5), (16, 17))):
            self.check(name, values(rng, (31, 75), dtype), size, mode="reflect")

    def test_every_size_mode_and_number_of_axes(self):
        rng = np.random.default_rng(2)
        windows = (((40,), (1, 2, 3, 8, 21)), ((1,), (1, 5)), ((23, 37), (1, 2, 3, 5, 6, (1, 3), (3, 1), (9, 2))),
                   ((5, 4), (7, (12, 3))), ((6, 7, 19), (2, 3, (1, 3, 5))), ((3, 4, 5, 6), (2, 3)), ((2, 3, 2, 3, 9), (2,)))
        for (shape, sizes), name, mode in itertools.product(windows, SCIPYS, MODES):
            for size in sizes:
                self.check(name, values(rng, shape, "f4"), size, mode=mode, cval=0.25)

    def test_every_origin(self):
        rng = np.random.default_rng(3)
        for name, mode, (size, origins) in itertools.product(SCIPYS, ("reflect", "constant", "wrap"),
                                                             ((3, (-1, 0, 1)), (4, (-2, -1, 0, 1)), (7, (-3, 2)))):
            for origin in origins:
                self.check(name, values(rng, (17, 20), "i2"), size, origin=origin, mode=mode, cval=100)
        self.check("median", values(rng, (9, 10, 11), "u1"), (3, 4, 5), origin=(1, -2, 0), mode="mirror")

    def test_wide_and_large_arrays(self):
        rng = np.random.default_rng(4)
        for name, (shape, dtype, size) in itertools.product(SCIPYS, (((120, 9001), "u1", 3), ((60, 5000), "f4", 3),
                                                                     ((20, 60, 700), "u2", 3), ((500000,), "f8", 9),
                                                                     ((200, 900), "u1", 21))):
            self.check(name, values(rng, shape, dtype), size, mode="reflect")

    def test_fortran_order_and_some_axes(self):
        rng = np.random.default_rng(5)
        array = np.asfortranarray(values(rng, (8, 9, 20), "f8"))
        for name, scipys in SCIPYS.items():
            with self.subTest(kernel=name):
                result = self.slabd.run(name, array, size=(3, 1, 4), origin=(1, 0, -1))
                np.testing.assert_array_equal(result, scipys(array, size=(3, 1, 4), origin=(1, 0, -1)))

                result = self.slabd.run(name, array, size=5, axes=(0, -1))
                np.testing.assert_array_equal(result, scipys(array, size=(5, 1, 5)))

                result = self.slabd.run(name, array, size=(2, 5), axes=(2, 0))
                np.testing.assert_array_equal(result, scipys(array, size=(5, 1, 2)))

    def test_windows_far_larger_than_the_array(self):
        """Rows that are not kept in scratch. Of medians scipy mirrors too few times: numpy.pad and sort are the judges."""
        array = values(np.random.default_rng(6), (5, 300), "f8")
        for name in ("minimum", "maximum"):
            self.check(name, array, (1001, 301), mode="mirror")

        result = self.slabd.run("median", array, size=(301, 3))

        padded = np.pad(array, ((150, 150), (1, 1)), mode="symmetric")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (301, 3)).reshape(*array.shape, -1)
        np.testing.assert_array_equal(result, np.sort(windows, axis=-1)[:, :, 903 // 2])


class WhereScipySaysNothing(SharedDaemonTestCase):
    def test_nan_is_the_largest_number(self):
        rng = np.random.default_rng(7)
        array = values(rng, (30, 40), "f8")
        array[rng.integers(0, 30, 60), rng.integers(0, 40, 60)] = np.nan
        array[10:20, 10:20] = np.nan
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(array, 1, mode="symmetric"), (3, 3)).reshape(30, 40, 9)
        expected = np.sort(windows, axis=2)  # NaNs last
        for name, rank in (("minimum", 0), ("median", 4), ("maximum", 8)):
            with self.subTest(kernel=name):
                result = self.slabd.run(name, array, size=3)

                np.testing.assert_array_equal(result, expected[:, :, rank])

    def test_integers_of_64_bits_are_exact(self):
        for dtype in ("i8", "u8"):
            with self.subTest(dtype=dtype):
                limits = np.iinfo(dtype)
                array = np.arange(limits.max - 30, limits.max, dtype=dtype)

                np.testing.assert_array_equal(self.slabd.run("median", array, size=3, mode="nearest"), array)

    def test_bad_windows_are_refused_with_the_numbers(self):
        array = np.zeros((5, 6))
        for options, part in (({}, "size"), ({"size": 0}, "size is 0"), ({"size": (3, 3, 3)}, "3 values"),
                              ({"size": 3, "origin": 2}, "origin is 2"), ({"size": 300}, "65535"),
                              ({"size": 40000}, "32767"), ({"size": 3, "axes": (0, 0)}, "twice")):
            with self.subTest(**options):
                with self.assertRaisesRegex(slab.UsageError, part):
                    self.slabd.run("median", array, **options)
        with self.assertRaisesRegex(slab.UsageError, "order"):
            self.slabd.run("median", array.astype(complex), size=3)


if __name__ == "__main__":
    unittest.main()
