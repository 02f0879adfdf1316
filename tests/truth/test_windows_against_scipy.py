"""uniform, gaussian, correlate and convolve against scipy.ndimage, over generated cases: shapes, modes, types, options.

scipy computes in double and cuts integers off after every axis. The judge of the default, which rounds once, is scipy on
float64; of truncate_integers it is scipy on the integers themselves.
"""

import itertools
import unittest

import numpy as np
import scipy.ndimage

import scipy_oracle as oracle
import slab
from slab_harness import SharedDaemonTestCase

MODES = ("reflect", "mirror", "nearest", "constant", "wrap", "grid-constant", "grid-wrap")
FLOAT64, FLOAT32 = 1e-12, 2e-6  # of the range
SHAPES = [(1,), (23,), (9, 14), (5, 8, 11), (3, 5, 4, 6)]


def scaled(array):
    """The largest magnitude, which differences are measured by."""
    return float(np.abs(array).max())


def real_values(compute, array, cval):
    """compute(float64 array, cval), of complex arrays part by part."""
    return oracle.real_values(compute, array, cval)


class WindowTestCase(SharedDaemonTestCase):
    def check(self, result, array, compute, cval=0.0, gain=1.0):
        """compute(array, cval): scipy's filter. Integers round its real value, halves within rounding error either way."""
        real = real_values(compute, array, cval)
        size = max(scaled(array), abs(cval)) * gain
        self.assertEqual(result.shape, array.shape)
        if result.dtype.kind in "fc":
            allowed = (FLOAT32 if result.dtype.itemsize == (4 if result.dtype.kind == "f" else 8) else FLOAT64) * size
            np.testing.assert_allclose(result, real, rtol=0, atol=allowed)
            return
        if result.dtype.kind == "b":
            off = (result != (real >= 0.5)) & (np.abs(real - 0.5) > FLOAT32)
        else:
            error = (FLOAT32 if result.dtype.itemsize == 1 else 1e-14) * size + 1e-9
            limits = np.iinfo(result.dtype)
            real = np.clip(real, limits.min, limits.max)
            off = np.abs(result.astype(float) - real) > 0.5 + error
        self.assertFalse(off.any(), (result[off][:5], real[off][:5]))

    def each(self, *choices):
        """Every value of every list, in turn: as many cases as the longest product of two."""
        for number, (first, second) in enumerate(itertools.product(choices[0], choices[1])):
            yield first, second, *(choice[number % len(choice)] for choice in choices[2:])


class Uniform(WindowTestCase):
    def test_shapes_modes_sizes_and_types(self):
        rng = np.random.default_rng(1)
        sizes = (3, 2, 5, 1, 8, 13, 31)
        for shape, mode, size, dtype, cval in self.each(SHAPES * 3, MODES, sizes, oracle.DTYPES, (0.0, 3.5, -7.0)):
            with self.subTest(shape=shape, mode=mode, size=size, dtype=dtype, cval=cval):
                array = oracle.random_values(rng, shape, dtype)

                result = self.slabd.run("uniform", array, size=size, mode=mode, cval=cval)

                self.assertEqual(result.dtype, array.dtype)
                self.check(result, array, lambda a, c: scipy.ndimage.uniform_filter(a, size, mode=mode, cval=c), cval)

    def test_origins_of_even_and_odd_windows(self):
        rng = np.random.default_rng(2)
        array = oracle.random_values(rng, (11, 17), "f8")
        for size, mode in itertools.product((2, 3, 4, 9, 12, 40), MODES):
            for origin in {-(size // 2), -1, 0, (size - 1) // 2}:
                with self.subTest(size=size, mode=mode, origin=origin):
                    result = self.slabd.run("uniform", array, size=[size, 3], origin=[origin, 1], mode=mode, cval=2)

                    self.check(result, array, lambda a, c: scipy.ndimage.uniform_filter(
                        a, [size, 3], origin=[origin, 1], mode=mode, cval=c), 2.0)

    def test_integers_that_are_cut_off_equal_scipys(self):
        rng = np.random.default_rng(3)
        for shape, dtype, size, mode in self.each(SHAPES * 2, [d for d in oracle.DTYPES if np.dtype(d).kind in "biu"],
                                                  (3, 2, 7, 12), MODES):
            with self.subTest(shape=shape, dtype=dtype, size=size, mode=mode):
                array = oracle.random_values(rng, shape, dtype)

                result = self.slabd.run("uniform", array, size=size, mode=mode, cval=4, truncate_integers=True)

                np.testing.assert_array_equal(result, scipy.ndimage.uniform_filter(array, size, mode=mode, cval=4))

    def test_the_mean_of_integers_that_is_a_half_is_rounded_away_from_zero(self):
        for dtype, size in itertools.product(("u1", "i1", "u2", "i2", "i4", "u4"), (2, 3, 4, 6, 7, 10, 24, 50)):
            limits = np.iinfo(dtype)
            array = np.random.default_rng(4).integers(max(limits.min, -2**31), limits.max, (40, 300), endpoint=True,
                                                      dtype=np.int64).astype(dtype)
            with self.subTest(dtype=dtype, size=size):
                result = self.slabd.run("uniform", array, size=[1, size], mode="wrap")

                sums = sum(np.roll(array.astype(int), size // 2 - i, 1) for i in range(size))
                expected = np.sign(sums) * ((2 * np.abs(sums) + size) // (2 * size))
                np.testing.assert_array_equal(result, expected)

    def test_a_nan_stays_in_its_windows(self):
        for size in (3, 8, 9, 20):
            array = np.ones((60, 70))
            array[30, 40], array[5, 5] = np.nan, np.inf
            with self.subTest(size=size):
                result = self.slabd.run("uniform", array, size=size)

                for index, is_there in (((30, 40), np.isnan), ((5, 5), np.isposinf)):
                    windows = scipy.ndimage.maximum_filter(np.arange(array.size).reshape(array.shape)
                                                           == np.ravel_multi_index(index, array.shape), size)
                    np.testing.assert_array_equal(is_there(result), windows)
                finite = np.isfinite(result)
                np.testing.assert_allclose(result[finite], 1, rtol=0, atol=1e-15)

    def test_long_windows_of_float32_lose_no_digits(self):
        array = (np.random.default_rng(5).random(200_000) + 1000).astype("f4")
        for size in (9, 100, 1023, 2047):
            with self.subTest(size=size):
                result = self.slabd.run("uniform", array, size=size)

                exact = scipy.ndimage.uniform_filter1d(array.astype(float), size)
                self.assertLess(np.abs(result - exact).max() / 1001, 3e-7)

    def test_axes_and_the_values_that_go_with_them(self):
        rng = np.random.default_rng(6)
        for order, axes in itertools.product("CF", ((0,), (1,), (-1,), (0, 2), (2, 0), (1, 0, 2), (-1, -3))):
            array = np.asarray(rng.random((7, 9, 12)), order=order)
            sizes = [3, 4, 6][:len(axes)]
            origins = [1, -1, 0][:len(axes)]
            with self.subTest(order=order, axes=axes):
                result = self.slabd.run("uniform", array, size=sizes, origin=origins, axes=axes)

                expected = array
                for axis, size, origin in zip(axes, sizes, origins):
                    expected = scipy.ndimage.uniform_filter1d(expected, size, axis, origin=origin)
                np.testing.assert_allclose(result, expected, rtol=0, atol=1e-12)
                self.assertEqual(result.flags.f_contiguous, order == "F")

    def test_windows_of_one_element_leave_every_bit(self):
        for dtype in ("u8", "i8", "f4", "c16"):
            array = np.frombuffer(np.random.default_rng(7).bytes(16 * 48), dtype).reshape(-1, 4)
            with self.subTest(dtype=dtype):
                result = self.slabd.run("uniform", array, size=1)

                self.assertEqual(result.tobytes(), array.tobytes())


class Gaussian(WindowTestCase):
    def test_shapes_modes_sigmas_and_types(self):
        rng = np.random.default_rng(11)
        sigmas = (1.0, 0.3, 2.5, 4.0, 0.0)
        for shape, mode, sigma, dtype, cval in self.each(SHAPES * 3, MODES, sigmas, oracle.DTYPES, (0.0, 3.5, -7.0)):
            with self.subTest(shape=shape, mode=mode, sigma=sigma, dtype=dtype, cval=cval):
                array = oracle.random_values(rng, shape, dtype)

                result = self.slabd.run("gaussian", array, sigma=sigma, mode=mode, cval=cval)

                self.assertEqual(result.dtype, array.dtype)
                self.check(result, array, lambda a, c: scipy.ndimage.gaussian_filter(a, sigma, mode=mode, cval=c), cval)

    def test_derivatives(self):
        rng = np.random.default_rng(12)
        orders = list(itertools.product((0, 1, 2), repeat=2))
        for order, mode, dtype, sigma in self.each(orders, MODES, ("f8", "f4", "c16", "i2", "u1"), (1.3, 0.8, 3.0)):
            for cval in (0.0, 50.0):
                with self.subTest(order=order, mode=mode, dtype=dtype, sigma=sigma, cval=cval):
                    array = oracle.random_values(rng, (13, 22), dtype)

                    result = self.slabd.run("gaussian", array, sigma=sigma, derivative=order, mode=mode, cval=cval)

                    self.check(result, array, lambda a, c: scipy.ndimage.gaussian_filter(
                        a, sigma, order=order, mode=mode, cval=c), cval, gain=4.0)

    def test_long_windows_of_float32_lose_no_digits(self):
        array = np.random.default_rng(3).random((700, 1)).astype("f4")
        for sigma in (60, 127, 129, 250):  # 481 to 2001 weights
            with self.subTest(sigma=sigma):
                result = self.slabd.run("gaussian", array, sigma=sigma)
                self.assertEqual(result.dtype, array.dtype)
                self.check(result, array, lambda a, c, sigma=sigma: scipy.ndimage.gaussian_filter(a, sigma))

    def test_truncate_and_radius(self):
        array = oracle.random_values(np.random.default_rng(13), (30, 25), "f8")
        for truncate in (0.0, 1.0, 2.5, 6.0):
            result = self.slabd.run("gaussian", array, sigma=[2, 1], truncate=truncate)
            self.check(result, array, lambda a, c: scipy.ndimage.gaussian_filter(a, [2, 1], truncate=truncate))
        result = self.slabd.run("gaussian", array, sigma=[2, 1], radius=[3, 7])
        self.check(result, array, lambda a, c: scipy.ndimage.gaussian_filter(a, [2, 1], radius=[3, 7]))

    def test_integers_that_are_cut_off_equal_scipys(self):
        """Random ones: of an array of one value scipy's own answer hangs on how its exp rounds."""
        rng = np.random.default_rng(14)
        for shape, dtype, mode, derivative in self.each([(31,), (14, 17), (6, 9, 11)], ("u1", "i1", "u2", "i2", "u4", "i4"),
                                                        MODES, (0, 1, 2)):
            if derivative > 0 and dtype in ("i4", "u4"):
                derivative = 0  # beyond their range scipy's casts are the processor's
            with self.subTest(shape=shape, dtype=dtype, mode=mode, derivative=derivative):
                array = oracle.random_values(rng, shape, dtype)

                result = self.slabd.run("gaussian", array, sigma=1.2, mode=mode, derivative=derivative,
                                        truncate_integers=True)

                np.testing.assert_array_equal(result, scipy.ndimage.gaussian_filter(
                    array, 1.2, order=derivative, mode=mode))

    def test_axes_of_both_memory_orders(self):
        rng = np.random.default_rng(15)
        for order, axes in itertools.product("CF", ((0,), (-1,), (2, 0), (1, 0, 2))):
            array = np.asarray(rng.random((7, 9, 12)), order=order)
            sigmas, derivatives = [1.0, 2.0, 0.5][:len(axes)], [0, 1, 2][:len(axes)]
            with self.subTest(order=order, axes=axes):
                result = self.slabd.run("gaussian", array, sigma=sigmas, derivative=derivatives, axes=axes)

                expected = array
                for axis, sigma, derivative in zip(axes, sigmas, derivatives):
                    expected = scipy.ndimage.gaussian_filter1d(expected, sigma, axis, derivative)
                np.testing.assert_allclose(result, expected, rtol=0, atol=1e-11)


class TheOrderOfAxes(WindowTestCase):
    """Where it matters the first axis comes first, or the first that is listed, whatever the order in memory."""

    CASES = list(itertools.product("CF", (None, (0, 1), (1, 0), (2, 0), (1, 0, 2), (-1, -3))))

    def test_of_derivatives_with_a_constant_beyond_the_edge(self):
        rng = np.random.default_rng(16)
        for order, axes in self.CASES:
            with self.subTest(order=order, axes=axes):
                array = np.asarray(rng.standard_normal((7, 9, 12)), order=order)
                listed = range(3) if axes is None else axes
                sigmas, derivatives = [1.0, 2.0, 0.5][:len(listed)], [2, 0, 1][:len(listed)]

                result = self.slabd.run("gaussian", array, sigma=sigmas, derivative=derivatives, mode="constant", cval=3,
                                        **({} if axes is None else {"axes": axes}))

                expected = array
                for axis, sigma, derivative in zip(listed, sigmas, derivatives):
                    expected = scipy.ndimage.gaussian_filter1d(expected, sigma, axis, derivative, mode="constant", cval=3)
                np.testing.assert_allclose(result, expected, rtol=0, atol=1e-11)

    def test_of_integers_that_are_cut_off(self):
        rng = np.random.default_rng(17)
        for order, axes in self.CASES:
            with self.subTest(order=order, axes=axes):
                array = np.asarray(oracle.random_values(rng, (7, 9, 12), "u1"), order=order)
                options = {"truncate_integers": True, **({} if axes is None else {"axes": axes})}

                smooth = self.slabd.run("gaussian", array, sigma=1.2, **options)
                mean = self.slabd.run("uniform", array, size=5, **options)

                expected_smooth = expected_mean = array
                for axis in range(3) if axes is None else axes:
                    expected_smooth = scipy.ndimage.gaussian_filter1d(expected_smooth, 1.2, axis)
                    expected_mean = scipy.ndimage.uniform_filter1d(expected_mean, 5, axis)
                np.testing.assert_array_equal(smooth, expected_smooth)
                np.testing.assert_array_equal(mean, expected_mean)


class CorrelateAndConvolve(WindowTestCase):
    def weights(self, rng, shape):
        return rng.integers(-4, 5, shape) / 4

    def test_shapes_modes_and_types(self):
        rng = np.random.default_rng(21)
        cases = [((1,), (3,)), ((23,), (4,)), ((23,), (50,)), ((9, 14), (3, 3)), ((9, 14), (2, 5)), ((9, 14), (1, 4)),
                 ((9, 14), (12, 15)), ((5, 8, 11), (3, 2, 3)), ((5, 8, 3), (3, 3, 1)), ((3, 5, 4, 6), (2, 3, 1, 3))]
        for case, mode, dtype, cval in self.each(cases, MODES, oracle.DTYPES, (0.0, 3.5, -7.0)):
            shape, window = case
            array, weights = oracle.random_values(rng, shape, dtype), self.weights(rng, window)
            for kernel in ("correlate", "convolve"):
                with self.subTest(kernel=kernel, shape=shape, window=window, mode=mode, dtype=dtype, cval=cval):
                    result = self.slabd.run(kernel, array, weights, mode=mode, cval=cval)

                    self.check(result, array, lambda a, c: getattr(scipy.ndimage, kernel)(a, weights, mode=mode, cval=c),
                               cval, gain=max(1.0, np.abs(weights).sum()))

    def test_float64_equals_scipy_to_the_last_bit(self):
        rng = np.random.default_rng(22)
        for shape, window in (((400,), (31,)), ((50, 60), (5, 7)), ((10, 20, 90), (3, 4, 5))):
            array, weights = rng.standard_normal(shape), rng.standard_normal(window)
            with self.subTest(shape=shape):
                np.testing.assert_array_equal(self.slabd.run("correlate", array, weights),
                                              scipy.ndimage.correlate(array, weights))

    def test_origins(self):
        rng = np.random.default_rng(23)
        array = rng.random((12, 15))
        for window in ((3, 4), (2, 5), (1, 6)):
            weights = rng.random(window)
            ranges = [range(-(n // 2), (n - 1) // 2 + 1) for n in window]
            for origin, kernel in itertools.product(itertools.product(*ranges), ("correlate", "convolve")):
                with self.subTest(window=window, origin=origin, kernel=kernel):
                    result = self.slabd.run(kernel, array, weights, origin=origin)

                    np.testing.assert_allclose(result, getattr(scipy.ndimage, kernel)(array, weights, origin=origin),
                                               rtol=0, atol=1e-12)

    def test_complex_weights(self):
        rng = np.random.default_rng(24)
        for dtype, kernel, mode in itertools.product(("f4", "f8", "i4", "u1", "c8", "c16"), ("correlate", "convolve"),
                                                     ("reflect", "constant")):
            array = oracle.random_values(rng, (11, 14), dtype)
            weights = rng.random((3, 4)) + 1j * rng.random((3, 4))
            with self.subTest(dtype=dtype, kernel=kernel, mode=mode):
                result = self.slabd.run(kernel, array, weights, mode=mode)

                expected = getattr(scipy.ndimage, kernel)(array, weights, mode=mode)
                self.assertEqual(result.dtype, expected.dtype)
                tolerance = FLOAT32 if expected.dtype == "c8" else FLOAT64
                np.testing.assert_allclose(result, expected, rtol=0, atol=tolerance * scaled(array) * 20)

    def test_integers_that_are_cut_off_equal_scipys(self):
        rng = np.random.default_rng(25)
        for dtype, mode in itertools.product(("u1", "i1", "u2", "i2", "u4"), MODES):
            array, weights = oracle.random_values(rng, (9, 14), dtype), self.weights(rng, (3, 4))
            with self.subTest(dtype=dtype, mode=mode):
                result = self.slabd.run("correlate", array, weights, mode=mode, truncate_integers=True)

                np.testing.assert_array_equal(result, scipy.ndimage.correlate(array, weights, mode=mode))

    def test_nothing_spreads_through_a_weight_of_zero_and_a_nan_among_the_weights_is_everywhere(self):
        array = np.ones((9, 9))
        array[4, 4] = np.nan
        cross = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0.0]])

        result = self.slabd.run("correlate", array, cross)

        np.testing.assert_array_equal(result, scipy.ndimage.correlate(array, cross))
        cross[0, 0] = np.nan
        self.assertTrue(np.isnan(self.slabd.run("correlate", array, cross)).all())


class OutputDtype(WindowTestCase):
    def test_integers_may_become_reals(self):
        array = oracle.random_values(np.random.default_rng(31), (20, 30), "u1")
        for dtype in ("float32", "float64"):
            for kernel, more in (("uniform", {"size": 5}), ("gaussian", {"sigma": 1.5})):
                with self.subTest(dtype=dtype, kernel=kernel):
                    result = self.slabd.run(kernel, array, output_dtype=dtype, **more)

                    self.assertEqual(result.dtype, dtype)
                    compute = scipy.ndimage.uniform_filter if kernel == "uniform" else scipy.ndimage.gaussian_filter
                    expected = compute(array.astype(float), *more.values())
                    np.testing.assert_allclose(result, expected, rtol=0, atol=255 * (2e-6 if dtype == "float32" else 1e-12))


class BadInput(SharedDaemonTestCase):
    def test_is_refused_with_a_reason(self):
        array = np.zeros((6, 7))
        weights = np.ones((3, 3))
        for kernel, inputs, parameters, pattern in (
                ("uniform", [array], {"size": 0}, "axis 0 has the size 0"),
                ("uniform", [array], {"size": [3, 5000]}, "axis 1 has the size 5000"),
                ("uniform", [array], {"size": 3, "origin": 2}, "origin 2; -1 to 1"),
                ("uniform", [array], {"size": [3, 3, 3]}, "3 values are given, and 2 axes"),
                ("uniform", [array], {"axes": 2}, "2 dimensions"),
                ("uniform", [array], {"axes": [0, -2]}, "axis 0 twice"),
                ("uniform", [array.astype("u1")], {"mode": "constant", "cval": np.nan}, "uint8 holds no value nan"),
                ("uniform", [array.astype("c8")], {"output_dtype": "float32"}, "complex"),
                ("gaussian", [array], {}, "sigma"),
                ("gaussian", [array], {"sigma": -1}, "sigma -1"),
                ("gaussian", [array], {"sigma": np.nan}, "sigma nan"),
                ("gaussian", [array], {"sigma": 1e300}, "radius"),
                ("gaussian", [array], {"sigma": 1, "derivative": 3}, "derivative 3"),
                ("gaussian", [array], {"sigma": [0, 1], "derivative": 1}, "axis 0 has derivative 1 and sigma 0"),
                ("gaussian", [array], {"sigma": 1, "radius": -1}, "radius -1"),
                ("gaussian", [array], {"sigma": 1, "truncate": -4}, "truncate is -4"),
                ("correlate", [array, np.ones(3)], {}, "the array has 2, the weights have 1"),
                ("correlate", [array, weights], {"origin": -2}, "-1 to 1"),
                ("convolve", [array, np.ones((200, 200))], {}, "16384 are the most"),
                ("convolve", [array], {}, "takes 2 inputs")):
            with self.subTest(kernel=kernel, parameters=parameters):
                with self.assertRaises(slab.UsageError) as caught:
                    self.slabd.run(kernel, *inputs, **parameters)
                self.assertRegex(str(caught.exception), pattern)
                self.assertTrue(caught.exception.remedy)


if __name__ == "__main__":
    unittest.main()
