"""zoom's options beside order and mode: prefilter, anti-aliasing, precision; and where slabd is better than scipy."""

import itertools
import unittest

import numpy as np
import scipy.ndimage

import scipy_oracle as oracle
from slab_harness import SharedDaemonTestCase

SHAPES = [(29,), (12, 31), (7, 9, 14)]
FILTER_MODES = {"constant": "constant", "grid-constant": "constant", "reflect": "reflect", "mirror": "mirror",
                "nearest": "nearest", "wrap": "wrap", "grid-wrap": "wrap"}


def blurred_as_scikit_image(array, factors, mode, cval):
    """Before shrinking by 1/s an axis is blurred with sigma = (s - 1) / 2, scikit-image's rule; others are not."""
    out_shape = oracle.zoomed_shape(array.shape, factors)
    sigmas = [max(0.0, (n_in / n_out - 1) / 2) for n_in, n_out in zip(array.shape, out_shape)]
    return scipy.ndimage.gaussian_filter(array, sigmas, mode=FILTER_MODES[mode], cval=cval, truncate=4.0)


class Prefilter(SharedDaemonTestCase):
    def test_off_takes_the_samples_as_coefficients_as_scipy(self):
        rng = np.random.default_rng(1)
        for shape, order, mode, convention in itertools.product(SHAPES, range(0, 6), oracle.MODES,
                                                                ("scipy", "scipy-grid")):
            with self.subTest(shape=shape, order=order, mode=mode, convention=convention):
                array = oracle.random_values(rng, shape, "f8")
                # An axis whose size stays is not touched by slabd; scipy smooths it: its samples are no coefficients.
                factor = [1.7, 0.6, 2.1][:len(shape)]

                result = self.slabd.run("zoom", array, factor=factor, order=order, mode=mode, cval=3,
                                        convention=convention, prefilter="off")

                expected = oracle.zoomed(array, factor, order, mode, 3, convention, prefilter=False)
                self.assertIsNone(oracle.difference(result, expected, order, oracle.span_of(array, 3)))


class AntiAliasing(SharedDaemonTestCase):
    def test_shrinking_blurs_first_as_scikit_image(self):
        rng = np.random.default_rng(2)
        for shape, order, mode, convention in itertools.product(SHAPES, range(0, 6), oracle.MODES,
                                                                ("scipy", "scipy-grid")):
            for factor in (0.5, 0.3, [0.4, 1.6, 0.5][:len(shape)]):
                with self.subTest(shape=shape, order=order, mode=mode, convention=convention, factor=factor):
                    array = oracle.random_values(rng, shape, "f8")
                    factors = np.broadcast_to(factor, len(shape)).tolist()

                    result = self.slabd.run("zoom", array, factor=factors, order=order, mode=mode, cval=-5,
                                            convention=convention, antialias=True)

                    blurred = blurred_as_scikit_image(array, factors, mode, -5.0)
                    expected = oracle.zoomed(blurred, factors, order, mode, -5, convention)
                    self.assertIsNone(oracle.difference(result, expected, order, oracle.span_of(array, 5)))

    def test_integers_are_rounded_once_at_the_end(self):
        array = oracle.random_values(np.random.default_rng(3), (40, 50), "i2")

        result = self.slabd.run("zoom", array, factor=0.4, order=1, mode="reflect", antialias=True)

        blurred = blurred_as_scikit_image(array.astype(float), [0.4, 0.4], "reflect", 0.0)
        real = oracle.zoomed(blurred, 0.4, 1, "reflect")
        whole = np.clip(np.trunc(real + np.copysign(0.5, real)), -32768, 32767).astype("i2")
        self.assertIsNone(oracle.difference(result, real, 1, oracle.span_of(array), whole))

    def test_growing_is_not_blurred(self):
        array = oracle.random_values(np.random.default_rng(4), (9, 14), "f4")

        plain = self.slabd.run("zoom", array, factor=2, order=3)
        result = self.slabd.run("zoom", array, factor=2, order=3, antialias=True)

        np.testing.assert_array_equal(result, plain)


class Precision(SharedDaemonTestCase):
    def test_double_makes_float32_as_near_as_its_own_rounding(self):
        rng = np.random.default_rng(5)
        for order, dtype in itertools.product(range(1, 6), ("f4", "c8")):
            with self.subTest(order=order, dtype=dtype):
                array = oracle.random_values(rng, (23, 31), dtype)
                real = oracle.real_values(lambda part, cval: oracle.zoomed(part, 1.7, order, "mirror", cval), array, 0.0)

                result = self.slabd.run("zoom", array, factor=1.7, order=order, mode="mirror", precision="double")

                error = np.maximum(np.abs(result.real - real.real) - np.spacing(np.abs(real.real).astype("f4")) / 1.9,
                                   np.abs(result.imag - real.imag) - np.spacing(np.abs(real.imag).astype("f4")) / 1.9)
                self.assertLessEqual(error.max(), 1e-10 * oracle.span_of(array))

    def test_single_is_float32s_precision_for_other_types(self):
        array = oracle.random_values(np.random.default_rng(6), (23, 31), "f8")
        real = oracle.zoomed(array, 1.7, 3)

        result = self.slabd.run("zoom", array, factor=1.7, order=3, precision="single")

        self.assertEqual(result.dtype, np.dtype("f8"))
        self.assertIsNone(oracle.difference(result, real, 3, oracle.span_of(array), tolerance=oracle.FLOAT32))

    def test_auto_is_single_for_float32_and_double_for_all_else(self):
        rng = np.random.default_rng(7)
        for dtype, named in (("f4", "single"), ("c8", "single"), ("f8", "double"), ("i2", "double"), ("c16", "double")):
            with self.subTest(dtype=dtype):
                array = oracle.random_values(rng, (23, 31), dtype)

                by_default = self.slabd.run("zoom", array, factor=1.7, order=3)
                auto = self.slabd.run("zoom", array, factor=1.7, order=3, precision="auto")
                by_name = self.slabd.run("zoom", array, factor=1.7, order=3, precision=named)

                np.testing.assert_array_equal(by_default, auto)
                np.testing.assert_array_equal(auto, by_name)


class WhereScipyIsWrong(SharedDaemonTestCase):
    """scipy lets k * step exceed n - 1 by one ulp: it then writes cval (constant) or the first sample (wrap) at the end."""

    def test_the_last_plane_keeps_its_value(self):
        sizes = [(n_in, n_out) for n_in, n_out in itertools.product(range(2, 130), range(2, 130))
                 if oracle.last_coordinate_is_beyond(n_in, n_out)]
        self.assertIn((110, 51), sizes)
        for (n_in, n_out), order, mode in itertools.product(sizes[::17], (1, 3), ("constant", "wrap")):
            with self.subTest(n_in=n_in, n_out=n_out, order=order, mode=mode):
                array = np.linspace(1, 2, n_in)

                result = self.slabd.run("zoom", array, shape=[n_out], order=order, mode=mode)

                self.assertAlmostEqual(result[-1], 2, delta=1e-9)
                expected = scipy.ndimage.zoom(array, n_out / n_in, order=order, mode="mirror")
                self.assertIsNone(oracle.difference(result, expected, order, 2))

    def test_splines_of_reflect_meet_the_samples_of_short_arrays(self):
        """scipy's miss them by 2e-6: its prefilter begins with an approximation there."""
        rng = np.random.default_rng(9)
        for count, order in itertools.product((2, 3, 5, 7, 11), range(2, 6)):
            with self.subTest(count=count, order=order):
                array = oracle.random_values(rng, (count,), "f8")

                result = self.slabd.run("zoom", array, shape=[3 * count - 2], order=order, mode="reflect")

                self.assertIsNone(oracle.difference(result[::3], array, order, oracle.span_of(array)))

    def test_a_shape_in_place_of_a_factor_is_met_exactly(self):
        array = oracle.random_values(np.random.default_rng(8), (11, 13), "f8")
        for shape in ((29, 7), (1, 1), (11, 13), (1, 40)):
            for order in range(1, 6):
                with self.subTest(shape=shape, order=order):
                    result = self.slabd.run("zoom", array, shape=shape, order=order, mode="reflect",
                                            convention="scipy-grid")

                    expected = oracle.zoomed(array, [m / n for m, n in zip(shape, array.shape)], order, "reflect",
                                             convention="scipy-grid")
                    self.assertIsNone(oracle.difference(result, expected, order, oracle.span_of(array)))


if __name__ == "__main__":
    unittest.main()
