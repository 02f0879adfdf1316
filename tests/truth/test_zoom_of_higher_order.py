"""zoom of the orders 1 to 5 against live scipy: shapes, factors, modes, dtypes, layouts, both of scipy's conventions.

Every third of the thousands of cases, whichever they are; all of them with SLABD_EVERY_CASE set, as in ./check --long.
"""

import itertools
import os
import random
import unittest

import numpy as np

import scipy_oracle as oracle
from slab_harness import SharedDaemonTestCase

ORDERS = range(1, 6)
CONVENTIONS = ("scipy", "scipy-grid")
SHAPES = [(1,), (2,), (3,), (17,), (130,), (1, 1), (1, 9), (5, 1), (33, 47), (2, 3, 5), (1, 40, 1), (13, 1, 29),
          (5, 4, 23), (2, 1, 3, 4), (3, 2, 4, 5), (1, 1, 1, 1), (1, 2, 2, 3)]
GROW, SHRINK, BOTH = (2, 1.5, 3.3, 1.0001), (0.5, 1 / 3, 0.77, 1), (0.4, 1, 1.9, 2.5)
CVAL = 37.25


def factors_that_leave_something(rng, shape, choices):
    """One for each axis; 1 where the axis would vanish."""
    return [float(f) if round(n * f) >= 1 else 1.0 for n, f in zip(shape, rng.choice(choices, len(shape)))]


class ZoomOfHigherOrder(SharedDaemonTestCase):
    def cases(self, *axes):
        """Of their product, in its order, all or a third; of few cases all."""
        every = list(itertools.product(*axes))
        if "SLABD_EVERY_CASE" in os.environ or len(every) < 100:
            return every
        chosen = random.Random(len(every)).sample(range(len(every)), len(every) // 3)
        return [every[i] for i in sorted(chosen)]

    def assert_as_scipy(self, array, factor, order, mode, convention, cval=CVAL):
        native = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
        real = oracle.real_values(
            lambda part, beyond: oracle.zoomed(part, factor, order, mode, beyond, convention), native, cval)
        whole = oracle.zoomed(native, factor, order, mode, cval, convention) if native.dtype.kind in "ui" else None

        result = self.slabd.run("zoom", array, factor=factor, order=order, mode=mode, cval=cval, convention=convention)

        self.assertEqual(result.dtype, native.dtype)
        fault = oracle.difference(result, real, order, oracle.span_of(native, cval), whole)
        if fault:
            self.fail(f"{array.dtype} {array.shape}, factor={factor}, order={order}, mode={mode!r}, "
                      f"convention={convention!r}, cval={cval}: {fault}")

    def test_every_order_mode_convention_and_shape_is_scipys(self):
        rng = np.random.default_rng(1)
        for shape, choices, order, mode, convention in self.cases(SHAPES, (GROW, SHRINK, BOTH), ORDERS,
                                                                  oracle.MODES, CONVENTIONS):
            factor = factors_that_leave_something(rng, shape, choices)
            with self.subTest(shape=shape, factor=factor, order=order, mode=mode, convention=convention):
                self.assert_as_scipy(oracle.random_values(rng, shape, "f8"), factor, order, mode, convention)

    def test_every_dtype_is_scipys(self):
        rng = np.random.default_rng(2)
        for dtype, order, mode, convention, shape, factor in self.cases(
                oracle.DTYPES, ORDERS, ("constant", "grid-constant", "nearest"), CONVENTIONS,
                ((37,), (9, 70), (4, 6, 35), (2, 3, 4, 5)), (2, 0.6)):
            # cval has to be one that every type can hold.
            with self.subTest(dtype=dtype, order=order, mode=mode, convention=convention, shape=shape, factor=factor):
                self.assert_as_scipy(oracle.random_values(rng, shape, dtype), factor, order, mode, convention, cval=1)

    def test_a_long_row_and_a_large_array_are_scipys(self):
        """Many vectors, tiles and worker's leases."""
        rng = np.random.default_rng(3)
        for shape, factor in (((40_001,), 1.7), ((40_001,), 0.31), ((3, 5003), 2), ((501, 3), 3.1), ((31, 37, 41), 1.9),
                              ((61, 67, 71), 0.45)):
            for dtype, (order, mode, convention) in self.cases(
                    ("f4", "i2", "f8"), ((1, "constant", "scipy"), (3, "mirror", "scipy-grid"),
                                         (5, "grid-wrap", "scipy-grid"))):
                with self.subTest(shape=shape, factor=factor, dtype=dtype, order=order):
                    self.assert_as_scipy(oracle.random_values(rng, shape, dtype), factor, order, mode, convention)

    def test_pixels_of_a_few_channels_are_scipys(self):
        """The last axis short and not zoomed, as colours are."""
        rng = np.random.default_rng(4)
        for channels, dtype, order in self.cases((1, 2, 3, 4, 7), ("u1", "f4", "c16"), ORDERS):
            for factor in ((2, 1.6, 1), (0.5, 0.7, 1), (1, 2, 1), (2, 1, 1)):
                with self.subTest(channels=channels, dtype=dtype, order=order, factor=factor):
                    self.assert_as_scipy(oracle.random_values(rng, (11, 23, channels), dtype), factor, order, "reflect",
                                         "scipy-grid")

    def test_five_dimensions_of_which_two_are_zoomed_are_scipys(self):
        rng = np.random.default_rng(5)
        for order, factor in self.cases(ORDERS, ((1, 1, 1, 2, 1.5), (1, 2, 1, 1, 0.5), (2, 1, 1, 1, 1))):
            with self.subTest(order=order, factor=factor):
                self.assert_as_scipy(oracle.random_values(rng, (2, 3, 2, 9, 10), "f4"), factor, order, "constant", "scipy")

    def test_fortran_order_is_only_a_layout(self):
        rng = np.random.default_rng(6)
        for shape, convention, dtype, order in self.cases(((6, 50), (5, 7, 33), (3, 4, 5, 6)), CONVENTIONS,
                                                          ("u1", "f4", "c16"), ORDERS):
            with self.subTest(shape=shape, convention=convention, dtype=dtype, order=order):
                array = np.asfortranarray(oracle.random_values(rng, shape, dtype))
                self.assert_as_scipy(array, [2, 0.5, 1.5, 3][:len(shape)], order, "mirror", convention)

    def test_big_endian_input_has_the_same_values(self):
        rng = np.random.default_rng(7)
        for dtype, order in self.cases((">u2", ">i4", ">u8", ">f4", ">f8", ">c8", ">c16"), (1, 3)):
            with self.subTest(dtype=dtype, order=order):
                array = oracle.random_values(rng, (5, 11, 13), dtype[1:]).astype(dtype)
                self.assert_as_scipy(array, 2, order, "constant", "scipy")

    def test_non_contiguous_input_has_the_same_values(self):
        base = oracle.random_values(np.random.default_rng(8), (20, 30, 40), "f4")
        for view in (base[::2, ::-1, 3:37:3], base.transpose(1, 0, 2), np.broadcast_to(base[0, 0], (3, 40))):
            for order in (1, 3):
                with self.subTest(strides=view.strides, order=order):
                    self.assert_as_scipy(view, 1.5, order, "constant", "scipy")

    def test_overshoot_is_clamped_to_the_integers_range(self):
        for dtype, order in self.cases(("u1", "i1", "u2", "i2", "u4", "i4"), range(2, 6)):
            with self.subTest(dtype=dtype, order=order):
                limits = np.iinfo(dtype)
                array = np.array([limits.min] * 7 + [limits.max] * 8 + [limits.min] * 6, dtype)

                result = self.slabd.run("zoom", array, factor=7, order=order)

                self.assertEqual((int(result.min()), int(result.max())), (limits.min, limits.max))
                self.assert_as_scipy(array, 7, order, "constant", "scipy")

    def test_order_3_constant_is_the_default_as_scipys(self):
        array = oracle.random_values(np.random.default_rng(9), (9, 10), "f8")

        result = self.slabd.run("zoom", array, factor=2)

        self.assertIsNone(oracle.difference(result, oracle.zoomed(array, 2, 3), 3, oracle.span_of(array)))


if __name__ == "__main__":
    unittest.main()
