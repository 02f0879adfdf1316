"""What NaN and infinity do: order 0 copies them, order 1 keeps those of weight 0 out, splines spread them."""

import itertools
import unittest

import numpy as np

from slab_harness import SharedDaemonTestCase

POISONS = (np.nan, np.inf, -np.inf)


class NanAndInfinity(SharedDaemonTestCase):
    def test_order_0_copies_them(self):
        for dtype in ("f4", "f8"):
            array = np.array([1, np.nan, np.inf, -np.inf, 2], dtype)
            with self.subTest(dtype=dtype):
                zoomed = self.slabd.run("zoom", array, factor=2, order=0, convention="scipy-grid", mode="nearest")
                moved = self.slabd.run("affine", array, matrix=[[-1.0]], offset=[4.0], order=0)

                np.testing.assert_array_equal(zoomed, np.repeat(array, 2))
                np.testing.assert_array_equal(moved, array[::-1])

    def test_order_1_at_the_samples_keeps_a_neighbours_poison_out(self):
        """Corners aligned, 5 to 9 elements: every second output lies on a sample, its neighbour has weight 0."""
        for poison, dtype, place in itertools.product(POISONS, ("f4", "f8", "c8"), range(5)):
            with self.subTest(poison=poison, dtype=dtype, place=place):
                array = np.arange(1, 6).astype(dtype)
                array[place] = poison

                result = self.slabd.run("zoom", array, shape=[9], order=1)

                np.testing.assert_array_equal(result[::2], array)
                touched = [k for k in (2 * place - 1, 2 * place, 2 * place + 1) if 0 <= k < 9]
                self.assertFalse(np.isfinite(result[touched]).any())
                self.assertTrue(np.isfinite(np.delete(result, touched)).all())

    def test_order_1_on_an_axis_that_stays_keeps_the_next_rows_poison_out(self):
        for poison, axis in itertools.product(POISONS, range(3)):
            with self.subTest(poison=poison, axis=axis):
                array = np.ones((4, 5, 6), "f4")
                np.moveaxis(array, axis, 0)[2] = poison
                factor = [2.0, 2.0, 2.0]
                factor[axis] = 1.0

                result = np.moveaxis(self.slabd.run("zoom", array, factor=factor, order=1), axis, 0)

                self.assertFalse(np.isfinite(result[2]).any())
                self.assertTrue((np.delete(result, 2, 0) == 1).all())

    def test_order_1_rows_and_planes_on_samples_keep_the_next_ones_poison_out(self):
        for poison, axis in itertools.product(POISONS, range(3)):
            with self.subTest(poison=poison, axis=axis):
                array = np.ones((5, 5, 5), "f8")
                np.moveaxis(array, axis, 0)[3] = poison

                result = np.moveaxis(self.slabd.run("zoom", array, shape=[9, 9, 9], order=1), axis, 0)

                self.assertTrue((result[[0, 1, 2, 3, 4, 8]] == 1).all())
                self.assertFalse(np.isfinite(result[5:8]).any())

    def test_affine_of_order_1_by_whole_voxels_only_moves_them(self):
        array = np.ones((6, 7, 8), "f4")
        array[2, 3, 4] = np.nan
        array[5, 6, 7] = np.inf
        array[0, 0, 0] = -np.inf
        for mode in ("constant", "nearest", "mirror", "reflect", "grid-wrap"):
            with self.subTest(mode=mode):
                result = self.slabd.run("affine", array, matrix=np.eye(3), offset=[0.0, 0.0, 0.0], order=1, mode=mode)

                np.testing.assert_array_equal(result, array)

                moved = self.slabd.run("affine", array, matrix=np.eye(3), offset=[1.0, -1.0, 2.0], order=1, mode=mode)

                np.testing.assert_array_equal(moved[:5, 1:, :6], array[1:, :6, 2:])

    def test_splines_spread_it_over_their_support_at_least(self):
        """Along the line: the coefficients beside a NaN are NaN, and so is whatever their splines reach."""
        for order, dtype in itertools.product(range(2, 6), ("f4", "f8")):
            with self.subTest(order=order, dtype=dtype):
                array = np.ones(401, dtype)
                array[200] = np.nan

                result = self.slabd.run("zoom", array, factor=2, order=order)

                centre = np.arange(802) * (400 / 801)
                self.assertTrue(np.isnan(result[np.abs(centre - 200) <= (order + 1) / 2]).all())

    def test_splines_leave_other_lines_alone(self):
        for order in range(2, 6):
            with self.subTest(order=order):
                array = np.ones((5, 60))
                array[2, 30] = np.nan

                result = self.slabd.run("zoom", array, factor=[1, 2], order=order)

                self.assertTrue(np.isnan(result[2]).any())
                np.testing.assert_allclose(np.delete(result, 2, 0), 1, rtol=1e-12)

    def test_a_nan_becomes_0_in_no_float(self):
        array = np.full((3, 4, 5), np.nan)
        for order in range(6):
            with self.subTest(order=order):
                self.assertTrue(np.isnan(self.slabd.run("zoom", array, factor=2, order=order)).all())

    def test_cval_may_be_nan_or_infinite_for_floats(self):
        for cval in POISONS:
            with self.subTest(cval=cval):
                result = self.slabd.run("affine", np.ones((4, 4)), matrix=np.eye(2), offset=[0.0, 2.0], order=1, cval=cval)

                self.assertTrue((result[:, :2] == 1).all())
                np.testing.assert_array_equal(result[:, 2:], np.full((4, 2), cval))


if __name__ == "__main__":
    unittest.main()
