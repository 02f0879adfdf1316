"""outer against numpy: every dtype, wrapping integers, ragged sizes."""

import itertools
import unittest

import numpy as np

from slab_harness import SharedDaemonTestCase

DTYPES = ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "c8", "c16"]


def values(rng, count, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind in "ui":  # the whole range, so that products wrap
        return rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, count, dtype, endpoint=True)
    if dtype.kind == "b":
        return rng.integers(0, 2, count).astype(bool)
    # Whole numbers: exact in every order of operations, so numpy's own fused complex products do not matter.
    whole = rng.integers(-1000, 1000, count).astype(dtype)
    return (whole + 1j * rng.integers(-1000, 1000, count)).astype(dtype) if dtype.kind == "c" else whole


class OuterAgainstNumpy(SharedDaemonTestCase):
    def test_every_dtype_is_numpys(self):
        rng = np.random.default_rng(7)
        for dtype, (rows, columns) in itertools.product(DTYPES, ((1, 1), (1, 77), (130, 1), (65, 257), (301, 4099))):
            with self.subTest(dtype=dtype, rows=rows, columns=columns):
                y, x = values(rng, rows, dtype), values(rng, columns, dtype)

                result = self.slabd.run("outer", y, x)

                self.assertEqual(result.dtype, np.dtype(dtype))
                with np.errstate(over="ignore"):
                    np.testing.assert_array_equal(result, np.multiply.outer(y, x))

    def test_real_products_round_as_numpys(self):
        rng = np.random.default_rng(8)
        for dtype in ("f4", "f8"):
            with self.subTest(dtype=dtype):
                y, x = rng.standard_normal(300).astype(dtype), rng.standard_normal(1001).astype(dtype)

                result = self.slabd.run("outer", y, x)

                np.testing.assert_array_equal(result, np.multiply.outer(y, x))

    def test_infinity_nan_and_subnormals_are_numpys(self):
        special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, 1e308, -1.5])
        with np.errstate(all="ignore"):
            expected = np.multiply.outer(special, special)

        result = self.slabd.run("outer", special, special)

        np.testing.assert_array_equal(result, expected)
        numbers = ~np.isnan(expected)  # the sign of a NaN means nothing
        np.testing.assert_array_equal(np.signbit(result[numbers]), np.signbit(expected[numbers]))

    def test_the_first_input_is_the_rows(self):
        result = self.slabd.run("outer", np.array([1, 2, 3]), np.array([10, 20]))

        self.assertEqual(result.tolist(), [[10, 20], [20, 40], [30, 60]])


if __name__ == "__main__":
    unittest.main()
