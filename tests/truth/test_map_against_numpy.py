"""Expressions of arrays are numpy's: their types, their values, their broadcasting."""

import itertools
import random
import tempfile
import unittest

import numpy as np

import numpy_oracle as oracle
import slab
from slab_harness import SharedDaemonTestCase

BINARY = ("+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=", "==", "!=", "&", "|", "^", "<<", ">>")
UNARY_FUNCTIONS = [name for name in oracle.FUNCTIONS if name not in (
    "arctan2", "minimum", "maximum", "min", "max", "clip", "where", "hypot", "power", "mod")]
BINARY_FUNCTIONS = ("arctan2", "minimum", "maximum", "hypot", "power", "mod")
PERIODIC = ("sin", "cos", "tan", "arccos", "exp", "log")


class Map(SharedDaemonTestCase):
    def check(self, expression, *arrays, **tolerance):
        with self.subTest(expression=expression, arrays=[(a.dtype.str, a.shape) for a in arrays]):
            try:
                expected = oracle.evaluated(expression, *arrays)
            except (ZeroDivisionError, OverflowError):
                return  # Python's, of numbers alone
            except (TypeError, ValueError) as error:
                if "negative integer power" in str(error):
                    return  # numpy looks at the values
                with self.assertRaises(slab.UsageError):
                    self.slabd.run("map", *arrays, expr=expression)
                return

            result = self.slabd.run("map", *arrays, expr=expression)

            self.assertIsNone(oracle.difference(result, expected, **tolerance))


class Types(Map):
    def test_every_operator_over_every_pair_of_types(self):
        rng = np.random.default_rng(1)
        for first, second in itertools.product(oracle.DTYPES, repeat=2):
            a, b = oracle.random_values(rng, (61,), first), oracle.random_values(rng, (61,), second)
            for operator in BINARY:
                b_now = np.abs(b) if operator == "**" and b.dtype.kind == "i" else b
                self.check(f"a {operator} b", a, b_now)

    def test_functions_of_two_over_pairs_of_types(self):
        rng = np.random.default_rng(2)
        for first, second in itertools.product(oracle.DTYPES[::2] + ("i1", "u8"), oracle.DTYPES):
            a, b = oracle.random_values(rng, (61,), first), oracle.random_values(rng, (61,), second)
            for function in BINARY_FUNCTIONS:
                b_now = np.abs(b) if function == "power" and b.dtype.kind == "i" else b
                self.check(f"{function}(a, b)", a, b_now)
            self.check("where(a, b, a)", a, b)

    def test_numbers_by_their_value(self):
        rng = np.random.default_rng(3)
        for dtype in oracle.DTYPES:
            a = oracle.random_values(rng, (19,), dtype)
            for number in ("1", "-1", "100", "200", "-200", "40000", "2**31", "-2**31", "2**40", "1.5", "1e300", "2j", "True",
                           "sqrt(2)", "float32(3)", "int8(3)", "pi", "(1/3)"):
                for expression in (f"a + {number}", f"{number} * a", f"a < {number}", f"where(a == 0, {number}, a)",
                                   f"maximum(a, {number})", f"a / {number}"):
                    if "j" in number and ("<" in expression or "maximum" in expression) and a.dtype.kind == "?":
                        continue
                    self.check(expression, a)

    def test_powers_by_numbers(self):
        rng = np.random.default_rng(4)
        for dtype, exponent in itertools.product(oracle.DTYPES, ("2", "2.0", "1", "0", "0.5", "-1.0", "3", "1.5", "-0.5", "2j")):
            self.check(f"a**{exponent}", oracle.random_values(rng, (40,), dtype, specials=False))

    def test_arithmetic_of_numbers_alone_is_pythons(self):
        a = np.zeros(3, "i2")
        for expression in ("7 // 2", "-7 // 2", "7 % -3", "2**-1", "True + True", "1 / 3", "2**10", "~5", "1 << 4", "3 > 2", "-2**2",
                           "2**3**2", "1 + 2 * 3", "(1 + 2) * 3", "6 & 3 | 8", "1e3", "0x1F", ".5", "5."):
            expected = eval(expression)
            with self.subTest(expression=expression):
                result = self.slabd.run("map", a, expr=expression)
                self.assertEqual(result[0], expected)
                self.assertEqual(result.dtype, np.asarray(expected).dtype)
        for expression in ("(-1)**0.5", "(-8)**(1 / 3)", "(-2.5)**-0.5", "(0.5 - 3)**1.5"):
            with self.subTest(expression=expression):
                result = self.slabd.run("map", a, expr=expression)
                np.testing.assert_allclose(result, eval(expression), rtol=1e-15, atol=1e-15)
                self.assertEqual(result.dtype, np.complex128)

    def test_casts(self):
        rng = np.random.default_rng(5)
        for dtype, name in itertools.product(oracle.DTYPES, oracle.TYPES):
            a = oracle.random_values(rng, (50,), dtype, specials=False)
            if a.dtype.kind in "fc":
                a = (a / 1e4 * 90).astype(dtype)  # within every type; beyond it C++ and numpy say nothing
                a = a if name[0] == "i" else np.abs(a)
            with np.errstate(all="ignore"):
                expected = a.real.astype(name) if name[0] in "iuf" else a.astype(name)
            with self.subTest(dtype=dtype, name=name):
                np.testing.assert_array_equal(self.slabd.run("map", a, expr=f"{name}(a)"), expected)
                result = self.slabd.run("map", a, expr="a", output_dtype=name)
                self.assertEqual(result.dtype, expected.dtype)
                np.testing.assert_array_equal(result, expected)


class Values(Map):
    def test_every_function_with_infinities_nan_and_zeros(self):
        rng = np.random.default_rng(6)
        for dtype, function in itertools.product(oracle.DTYPES, UNARY_FUNCTIONS):
            array = oracle.random_values(rng, (1003,), dtype, specials=dtype not in ("c8", "c16"))
            if dtype == "f4" or dtype == "c8":
                absolute = 2e-6
            else:
                absolute = 1e-12 if dtype in ("f8", "c16") else 0.0
            self.check(f"{function}(a)", array, absolute=absolute if function in PERIODIC or dtype[0] == "c" else 0.0)

    def test_functions_near_their_hard_places(self):
        for dtype in ("f4", "f8"):
            tiny, largest = np.finfo(dtype).tiny, np.finfo(dtype).max
            around = np.concatenate([x * (1 + np.arange(-20, 21) * np.finfo(dtype).eps) for x in
                                     (1.0, -1.0, np.pi / 2, np.pi, 2 * np.pi, 100 * np.pi, 0.5, 88.7, -87.3, 709.7, -708.3, -745,
                                      39000, 1e5, 1e15, largest / 2, tiny, -tiny)])
            array = np.concatenate([around, np.logspace(-44, 38, 999), -np.logspace(-44, 38, 999),
                                    [0.0, -0.0, np.inf, -np.inf, np.nan, largest, -largest, tiny / 3]]).astype(dtype)
            for function in ("sin", "cos", "tan", "exp", "expm1", "log", "log2", "log10", "log1p", "sinh", "cosh", "tanh", "arctan",
                             "arcsin", "arccos", "sqrt"):
                absolute = (2e-6 if dtype == "f4" else 1e-12) if function in PERIODIC else 0.0
                self.check(f"{function}(a)", array, absolute=absolute)

    def test_square_roots_are_exactly_rounded(self):
        rng = np.random.default_rng(11)
        whole = rng.integers(2**52, 2**53, 300_000).astype("f8")
        for array in (np.ldexp(rng.random(300_000) + 1, rng.integers(-1000, 1000, 300_000)), whole * whole,
                      np.nextafter(whole * whole, 0), np.nextafter(whole * whole, np.inf), np.nextafter(whole, 0) * whole,
                      np.arange(100_000.0)):
            np.testing.assert_array_equal(self.slabd.run("map", array, expr="sqrt(a)"), np.sqrt(array))

    def test_integers_wrap_around_and_divide_by_zero(self):
        for dtype in oracle.DTYPES[1:9]:
            limits = np.iinfo(dtype)
            ends = np.array([limits.min, limits.min + 1, limits.max - 1, limits.max, 0, 1, 2, 3], dtype)
            a, b = (grid.ravel() for grid in np.meshgrid(ends, ends))
            for expression in ("a + b", "a - b", "a * b", "a // b", "a % b", "-a", "abs(a)", "a**2", "~a", "a << b", "a >> b",
                               "a / b", "sign(a)", "a ^ b"):
                self.check(expression, a, b)

    def test_random_expressions(self):
        chance, rng = random.Random(7), np.random.default_rng(7)

        def tree(depth, names):
            if depth == 0 or chance.random() < 0.15:
                return chance.choice(names + ["2", "3", "0.5", "1"]) if depth < 3 else chance.choice(names)
            kind = chance.random()
            if kind < 0.6:
                operator = chance.choice([o for o in BINARY if o != "**"])
                return f"({tree(depth - 1, names)} {operator} {tree(depth - 1, names)})"
            if kind < 0.7:
                return f"({tree(depth - 1, names)})**{chance.choice(['2', '0.5', '3'])}"
            if kind < 0.85:
                return f"{chance.choice(['abs', 'floor', 'sign', 'isnan', 'sqrt', 'conj'])}({tree(depth - 1, names)})"
            return f"{chance.choice(['minimum', 'maximum'])}({tree(depth - 1, names)}, {tree(depth - 1, names)})"

        for _ in range(600):
            count = chance.randint(1, 3)
            arrays = [oracle.random_values(rng, (37,), chance.choice(oracle.DTYPES), specials=False) for _ in range(count)]
            is_single = any(array.dtype in ("f4", "c8") or array.dtype.itemsize < 4 for array in arrays)
            self.check(tree(3, list("abc"[:count])), *arrays, tolerance=1e-4 if is_single else 1e-9)


class Broadcasting(Map):
    def test_shapes(self):
        rng = np.random.default_rng(8)
        cases = [((5,), ()), ((4, 1), (7,)), ((3, 1, 5), (4, 1)), ((2, 3, 4, 5, 6), (6,)), ((2, 1, 4, 1, 6), (3, 1, 5, 1)), ((1,), (9, 9)),
                 ((1, 1), (1,)), ((300, 3), (3,)), ((300, 1), (3,)), ((1, 5000), (7, 1)), ((6, 5), (6, 5)), ((3,), (2, 1), (4, 1, 1))]
        for shapes in cases:
            arrays = [oracle.random_values(rng, shape, dtype) for shape, dtype in zip(shapes, ("f4", "i2", "f8"))]
            self.check(" + ".join("abc"[:len(arrays)]), *arrays)
            self.check("b", *arrays)

    def test_fortran_order(self):
        rng = np.random.default_rng(9)
        for shape in ((5, 7), (4, 5, 6), (3, 1, 5)):
            a = np.asfortranarray(oracle.random_values(rng, shape, "f8"))
            row = oracle.random_values(rng, shape[-1:], "f4")
            column = np.asfortranarray(oracle.random_values(rng, (*shape[1:-1], shape[-2] if shape[-2] > 1 else 1, 1)[-2:], "i2"))
            self.check("a * 2 + b", a, row)
            self.check("a - b", a, column)

    def test_sixteen_arrays(self):
        arrays = [np.full((3, 4), i, "i8") for i in range(16)]
        self.check(" + ".join("abcdefghijklmnop"), *arrays)
        self.check("e * pi", *arrays)

    def test_bands_change_nothing(self):
        rng = np.random.default_rng(10)
        a, b, c = (oracle.random_values(rng, shape, "f8") for shape in ((3000, 200), (200,), (3000, 1)))
        expected = oracle.evaluated("sqrt(abs(a)) * b - c", a, b, c)

        with tempfile.TemporaryDirectory() as directory:
            job = self.slabd.submit("map", a, b, c, expr="sqrt(abs(a)) * b - c", max_memory="6MiB", out=f"{directory}/out.npy")

            self.assertGreater(job.wait()["bands"], 1)
            np.testing.assert_array_equal(job.result(), expected)


if __name__ == "__main__":
    unittest.main()
