"""fft, ifft, rfft and irfft against numpy.fft in double: lengths, axes, norms, types, both memory orders."""

import itertools
import unittest

import numpy as np

import slab
from slab_harness import SharedDaemonTestCase

LENGTHS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 15, 16, 25, 30, 31, 49, 61, 64, 67, 101, 122, 127, 128, 134, 210, 243, 997,
           1000, 1024, 1009 * 2)
NORMS = ("backward", "ortho", "forward")
NUMPYS = {"fft": np.fft.fftn, "ifft": np.fft.ifftn, "rfft": np.fft.rfftn, "irfft": np.fft.irfftn}


def values(rng, shape, dtype):
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    if dtype.kind in "ui":
        return rng.integers(0, 100, shape).astype(dtype)
    array = rng.standard_normal(shape)
    return (array + 1j * rng.standard_normal(shape) if dtype.kind == "c" else array).astype(dtype)


class FftAgainstNumpy(SharedDaemonTestCase):
    def check(self, name, array, axes=None, norm="backward", n=None):
        options = {"norm": norm}
        if axes is not None:
            options["axes"] = axes
        if n is not None:
            options["n"] = n
        with self.subTest(kernel=name, dtype=array.dtype, shape=array.shape, **options):
            result = self.slabd.run(name, array, **options)

            axes = (-1,) if axes is None else axes
            wide = array.astype("c16" if array.dtype.kind == "c" else "f8")
            sizes = None
            if name == "irfft":
                sizes = [wide.shape[axis] for axis in axes]
                sizes[-1] = n or 2 * (sizes[-1] - 1)
            expected = NUMPYS[name](wide, s=sizes, axes=axes, norm=norm)
            is_single = array.dtype in (np.dtype("f4"), np.dtype("c8"))
            self.assertEqual(result.shape, expected.shape)
            self.assertEqual(result.dtype.name, ("float" if name == "irfft" else "complex")
                             + str((1 if name == "irfft" else 2) * (32 if is_single else 64)))
            self.assertLessEqual(np.abs(result - expected).max(), (2e-6 if is_single else 1e-14) * np.abs(expected).max())

    def test_every_length_and_norm(self):
        rng = np.random.default_rng(1)
        for length, norm, dtype in itertools.product(LENGTHS, NORMS, ("8", "16")):
            real = f"f{int(dtype) // 2}"
            for name in ("fft", "ifft"):
                self.check(name, values(rng, (3, length), "c" + dtype), norm=norm)
            self.check("rfft", values(rng, (3, length), real), norm=norm)
            self.check("irfft", values(rng, (3, length // 2 + 1), "c" + dtype), norm=norm, n=length)

    def test_every_choice_of_axes(self):
        rng = np.random.default_rng(2)
        shape = (5, 6, 33)
        for count in (1, 2, 3):
            for axes in itertools.permutations(range(3), count):
                for name in ("fft", "ifft", "irfft"):
                    self.check(name, values(rng, shape, "c16"), axes)
                self.check("rfft", values(rng, shape, "f8"), axes)
                self.check("rfft", np.asfortranarray(values(rng, shape, "f4")), axes)
                self.check("irfft", np.asfortranarray(values(rng, shape, "c8")), axes, n=2 * shape[axes[-1]] - 1)
        self.check("fft", np.asfortranarray(values(rng, shape, "c8")))
        self.check("fft", values(rng, (2, 3, 4, 5, 6), "f4"), (-1, 0, 2))

    def test_every_dtype(self):
        rng = np.random.default_rng(3)
        for dtype in ("?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "c8", "c16"):
            array = values(rng, (7, 20), dtype)
            for name in NUMPYS:
                if name != "rfft" or np.dtype(dtype).kind != "c":
                    self.check(name, array, (0, 1))

    def test_larger_arrays(self):
        rng = np.random.default_rng(4)
        self.check("fft", values(rng, (300, 512), "c8"), (0, 1))
        self.check("fft", values(rng, (64, 60, 50), "c16"), (0, 1, 2))
        self.check("rfft", values(rng, (300, 511), "f4"), (0, 1))
        self.check("irfft", values(rng, (300, 257), "c8"), (0, 1))
        for length in (20000, 65536, 100000):  # few lines, or one, share a vector
            self.check("fft", values(rng, (5, length), "c16"))
            self.check("rfft", values(rng, (length, 3), "f4"), (0,))
        self.check("ifft", values(rng, (3, 20011), "c16"))

    def test_there_and_back(self):
        array = values(np.random.default_rng(5), (40, 51), "f8")

        spectrum = self.slabd.run("rfft", array, axes=(0, 1))
        result = self.slabd.run("irfft", spectrum, axes=(0, 1), n=51)

        np.testing.assert_allclose(result, array, atol=1e-14)

    def test_bad_input_is_refused_with_the_numbers(self):
        line = np.ones(10)
        for name, array, options, part in (("rfft", line.astype(complex), {}, "complex128"),
                                           ("irfft", line, {"n": 17}, "18 or 19"), ("irfft", line[:1], {}, "one element"),
                                           ("fft", line, {"axes": (1,)}, "axis 1"), ("fft", np.ones(300000), {}, "300000"),
                                           ("fft", line, {"norm": "none"}, "norm")):
            with self.subTest(kernel=name, **options):
                with self.assertRaisesRegex(slab.UsageError, part):
                    self.slabd.run(name, array, **options)


if __name__ == "__main__":
    unittest.main()
