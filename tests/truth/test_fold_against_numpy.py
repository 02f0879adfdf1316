"""Folds are numpy's reductions: types, values, axes, NaN; and the same bits however the work is divided."""

import itertools
import math
import unittest
import warnings

import numpy as np

import numpy_oracle as oracle
import slab
from slab_harness import SharedDaemonTestCase

SHAPES = [(1,), (17,), (100_000,), (5, 300), (300, 5), (70, 41, 3), (3, 41, 70), (4, 1, 9, 2), (3, 4, 5, 6, 7)]
NARROW = [(4000, 3), (300, 16), (300, 17)]  # a vector holds several rows; the widest such; too wide; more than one block
REDUCTIONS = ("sum", "mean", "min", "max", "prod", "std", "var", "count", "any", "all")


def by_numpy(reduce, array, axis, ddof=0):
    if array.dtype == np.float32 or array.dtype == np.complex64:  # numpy's own float32 sums are the less exact ones
        wide = array.astype("f8" if array.dtype.kind == "f" else "c16")
        plain = by_numpy(reduce, wide, axis, ddof)
        with np.errstate(all="ignore"):
            if reduce in ("sum", "mean", "prod", "min", "max"):
                return plain.astype(array.dtype)
            return plain.astype("f4") if reduce in ("std", "var") else plain
    with np.errstate(all="ignore"):
        if reduce == "count":
            return np.asarray(np.count_nonzero(array, axis=axis))
        if reduce in ("std", "var"):
            return np.asarray(getattr(np, reduce)(array, axis=axis, ddof=ddof))
        return np.asarray(getattr(np, reduce)(array, axis=axis))


class Fold(SharedDaemonTestCase):
    def check(self, reduce, array, axis=None, **parameters):
        expected = by_numpy(reduce, array, axis, parameters.get("ddof", 0))
        with self.subTest(reduce=reduce, dtype=array.dtype.str, shape=array.shape, axis=axis):
            if axis is not None:
                parameters["axis"] = list(axis) if isinstance(axis, tuple) else axis
            result = self.slabd.run("fold", array, reduce=reduce, **parameters)
            # Of a sum the terms' size counts, not the result's.
            terms = np.nan_to_num(np.abs(array.astype("c16")), nan=0, posinf=0).sum()
            limit = oracle.FLOAT32 if expected.dtype.itemsize == 4 or expected.dtype == "c8" else oracle.FLOAT64
            absolute = limit * float(terms) / array.size if reduce in ("sum", "mean", "std", "var") else 0.0
            self.assertIsNone(oracle.difference(result.reshape(expected.shape), expected, absolute=absolute))


class Reductions(Fold):
    def test_every_type_and_axis(self):
        rng = np.random.default_rng(1)
        for shape in SHAPES + NARROW:
            axes = [None, *range(len(shape))]
            axes += list(itertools.combinations(range(len(shape)), 2))[:4] + [tuple(range(len(shape)))]
            for number, (dtype, axis) in enumerate(itertools.product(oracle.DTYPES, axes)):
                if len(shape) > 2 and number % 3 != 0:
                    continue
                array = oracle.random_values(rng, shape, dtype, specials=False)
                for reduce in REDUCTIONS:
                    if reduce == "prod" and array.dtype.kind in "fc":
                        array = np.where(np.abs(array) > 0, array / np.abs(array) * 1.001, array).astype(dtype)
                    self.check(reduce, array, axis)

    def test_nan_and_infinity(self):
        rng = np.random.default_rng(2)
        for dtype, shape, axis in itertools.product(("f4", "f8", "c8", "c16"), ((33,), (40, 37), (4000, 3)), (None, 0)):
            array = oracle.random_values(rng, shape, dtype, specials=False)
            array.flat[[3, 20]] = np.nan
            array.flat[7] = np.inf
            for reduce in ("min", "max", "count", "any", "all"):
                self.check(reduce, array, axis)
            if dtype[0] == "f":
                for reduce in ("sum", "mean", "std"):
                    self.check(reduce, array, axis)
        for value in (np.inf, -np.inf):
            self.check("sum", np.array([1.0, value, 2.0]))

    def test_ddof(self):
        array = oracle.random_values(np.random.default_rng(3), (50, 6), "f8", specials=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # numpy's, of no degrees of freedom
            for ddof, axis in itertools.product((0, 1, 5, 6, 7), (None, 0, 1)):
                self.check("var", array, axis, ddof=ddof)

    def test_variance_far_from_zero(self):
        array = 1e9 + np.random.default_rng(4).standard_normal((70_000, 3))
        for axis in (None, 0, 1):
            expected = np.var(array.astype(np.longdouble), axis=axis).astype("f8")
            np.testing.assert_allclose(self.slabd.run("fold", array, reduce="var", **({} if axis is None else {"axis": axis})),
                                       np.atleast_1d(expected), rtol=1e-10)

    def test_sums_are_as_exact_as_fsum(self):
        rng = np.random.default_rng(5)
        array = rng.standard_normal(300_000) * 10.0 ** rng.integers(-6, 7, 300_000)

        result = self.slabd.run("fold", array, reduce="sum")

        exact = math.fsum(array)
        self.assertLessEqual(abs(result - exact), 2e-16 * np.abs(array).sum())

    def test_integers_wrap_around(self):
        for dtype in ("i8", "u8", "i4", "u1"):
            array = np.full(5000, np.iinfo(dtype).max, dtype)
            for reduce in ("sum", "prod", "mean"):
                self.check(reduce, array)


class Indices(Fold):
    def test_the_first_of_all_and_of_each_axis(self):
        rng = np.random.default_rng(6)
        for dtype, shape in itertools.product(oracle.DTYPES, ((1,), (3000,), (40, 50), (6, 7, 80), (80, 7, 6), *NARROW)):
            array = oracle.random_values(rng, shape, dtype)
            if array.dtype.kind in "iu":
                array = array % 5  # ties
            for order, reduce in itertools.product("CF", ("argmin", "argmax")):
                ordered = np.asarray(array, order=order)
                for axis in (None, *range(array.ndim)):
                    with self.subTest(dtype=dtype, shape=shape, order=order, reduce=reduce, axis=axis):
                        result = self.slabd.run("fold", ordered, reduce=reduce, **({} if axis is None else {"axis": axis}))
                        expected = np.asarray(getattr(np, reduce)(array, axis=axis))
                        self.assertEqual(result.dtype, np.dtype("i8"))
                        np.testing.assert_array_equal(result.reshape(expected.shape), expected)

    def test_several_axes_have_no_index(self):
        with self.assertRaisesRegex(slab.UsageError, "along one axis"):
            self.slabd.run("fold", np.zeros((2, 3, 4)), reduce="argmin", axis=[0, 1])


class Histograms(Fold):
    def test_counts(self):
        rng = np.random.default_rng(7)
        for dtype in [dtype for dtype in oracle.DTYPES if dtype[0] not in "?c"]:
            array = oracle.random_values(rng, (70, 81), dtype, specials=False)
            array = (array % 100).astype(dtype)
            for bins, limits in itertools.product((1, 7, 10, 100, 1000), (None, (0, 50), (3, 3), (-7.5, 20.25))):
                with self.subTest(dtype=dtype, bins=bins, limits=limits):
                    parameters = {} if limits is None else {"range": limits}
                    result = self.slabd.run("fold", array, reduce="histogram", bins=bins, **parameters)
                    np.testing.assert_array_equal(result, np.histogram(array, bins=bins, range=limits)[0])

    def test_nan_and_what_lies_beyond_the_range_count_nowhere(self):
        array = np.array([np.nan, -1, 0, 0.5, 1, 2, np.inf, -np.inf])
        np.testing.assert_array_equal(self.slabd.run("fold", array, reduce="histogram", bins=2, range=(0, 1)), [1, 2])
        np.testing.assert_array_equal(self.slabd.run("fold", array, reduce="histogram", bins=3), [1, 2, 2])

    def test_complex_numbers_an_axis_and_bad_ranges_are_refused(self):
        for array, parameters in ((np.zeros(3, "c8"), {}), (np.zeros((3, 3)), {"axis": 0}), (np.zeros(3), {"range": (1, 0)}),
                                  (np.zeros(3), {"range": (0, np.inf)}), (np.zeros(3), {"bins": 0}), (np.zeros(3), {"bins": 10**9})):
            with self.subTest(parameters=parameters), self.assertRaises(slab.UsageError):
                self.slabd.run("fold", array, reduce="histogram", **parameters)


class Expressions(Fold):
    def test_of_several_arrays_broadcast(self):
        rng = np.random.default_rng(8)
        a, b = rng.random((300, 1)), rng.random(500)
        for axis in (None, 0, 1):
            expected = np.asarray((np.sqrt(a) + b * b).sum(axis=axis))
            result = self.slabd.run("fold", a, b, expr="sqrt(a) + b*b", reduce="sum", **({} if axis is None else {"axis": axis}))
            np.testing.assert_allclose(result.reshape(expected.shape), expected, rtol=1e-12)

    def test_bands_and_fortran_order_change_nothing(self):
        rng = np.random.default_rng(9)
        array = rng.standard_normal((3000, 400))
        for reduce, axis in itertools.product(("sum", "std", "max", "argmax", "count"), (None, 0, 1)):
            parameters = {} if axis is None else {"axis": axis}
            with self.subTest(reduce=reduce, axis=axis):
                whole = self.slabd.run("fold", array, reduce=reduce, **parameters)
                plan = self.slabd.plan("fold", array, reduce=reduce, max_memory="6MiB", **parameters)
                self.assertGreater(plan["bands"], 1)
                np.testing.assert_array_equal(
                    self.slabd.run("fold", array, reduce=reduce, max_memory="6MiB", **parameters), whole)
                np.testing.assert_allclose(self.slabd.run("fold", np.asfortranarray(array), reduce=reduce, **parameters), whole,
                                           rtol=1e-12, atol=1e-12)


if __name__ == "__main__":
    unittest.main()
