"""zoom of the higher orders, reslice and affine: a file is the same, bit for bit, whether the volume held all of the job
or, of zoom and reslice, a twentieth of it; affine streams its output while its input is resident."""

import itertools
import unittest

import numpy as np

from scipy_oracle import random_values
from whole_and_streamed import MIB, WholeAndStreamed

LONG = (3000, 23, 37)   # many rows along the bands: a spline's prefilter reaches up to 44 of them on either side
FACTORS = {"growing": "1.5,1.7,2", "shrinking": "0.77,0.6,0.5", "along the bands alone": "1.9,1,1",
           "not along the bands": "1,1.5,1.5"}


class StreamedZoom(WholeAndStreamed):
    volume = "1GiB"  # for the whole job, with its coefficients

    @staticmethod
    def least(run):
        """An extent for the ring, and one for the filters' taps, which stay."""
        return 4 * MIB

    def check(self, array, factor, order, *options):
        self.assert_invisible("zoom", self.save(array), "--factor", factor, "--order", order, *options)

    def test_every_order_type_and_convention(self):
        rng = np.random.default_rng(1)
        for dtype in ("f4", "i2"):
            array = random_values(rng, LONG, dtype)
            for order, convention in itertools.product(range(1, 6), ("scipy", "scipy-grid")):
                with self.subTest(dtype=dtype, order=order, convention=convention):
                    self.check(array, FACTORS["growing"], order, "--convention", convention, "--mode", "reflect")

    def test_shrinking_and_single_axes(self):
        array = random_values(np.random.default_rng(2), LONG, "f4")
        for (name, factor), order in itertools.product(FACTORS.items(), (1, 3)):
            with self.subTest(name, order=order):
                self.check(array, factor, order)

    def test_modes_that_extend_the_bands_ends(self):
        array = random_values(np.random.default_rng(3), LONG, "f4")
        for mode, order in itertools.product(("constant", "nearest", "mirror", "grid-constant"), (1, 3)):
            with self.subTest(mode=mode, order=order):
                self.check(array, FACTORS["growing"], order, "--convention", "scipy-grid", "--mode", mode, "--cval", 7)

    def test_anti_aliasing(self):
        array = random_values(np.random.default_rng(4), LONG, "f4")
        for order in (0, 1, 3):
            with self.subTest(order=order):
                self.check(array, "0.4,0.6,0.5", order, "--mode", "reflect", "--antialias")

    def test_fortran_order_and_the_other_byte_order(self):
        rng = np.random.default_rng(5)
        for name, array in (("Fortran", np.asfortranarray(random_values(rng, LONG[::-1], "f4"))),
                            ("big-endian", random_values(rng, LONG, "i2").astype(">i2"))):
            with self.subTest(name):
                self.check(array, "1.5", 3, "--mode", "mirror")


class StreamedReslice(WholeAndStreamed):
    @staticmethod
    def least(run):
        """An extent for the ring, and one for the transforms, which stay."""
        return 4 * MIB

    def setUp(self):
        super().setUp()
        rng = np.random.default_rng(6)
        self.series = random_values(rng, (135, 24, 40, 45), "f4")
        rows = np.hstack([rng.uniform(-2, 2, (135, 3)), rng.uniform(-0.05, 0.05, (135, 3))])
        np.savetxt(self.directory / "rp.txt", rows)

    def check(self, array, batch, order, *options):
        self.assert_invisible("reslice", self.save(array), "--transforms", self.directory / "rp.txt", "--convention", "spm",
                              "--batch", batch, "--order", order, *options)

    def test_frame_by_frame(self):
        for dtype, order in itertools.product(("f4", "i2"), (0, 1, 3)):
            with self.subTest(dtype=dtype, order=order):
                self.check(self.series.astype(dtype), "first", order)

    def test_as_nifti_holds_it(self):
        array = np.asfortranarray(np.moveaxis(self.series, 0, -1))
        for order in (1, 3):
            with self.subTest(order=order):
                self.check(array, "last", order)

    def test_masked_in_all_frames(self):
        for order in (1, 3):
            with self.subTest(order=order):
                self.check(self.series, "first", order, "--mask-outside", "--cval", "nan")


class StreamedAffine(WholeAndStreamed):
    def test_the_output_streams_while_the_input_is_resident(self):
        rng = np.random.default_rng(7)
        array = random_values(rng, (50, 90, 95), "f4")
        c, s = np.cos(0.3), np.sin(0.3)
        matrix = np.array([[0.4, 0, 0, 1.5], [0, 0.4 * c, -0.4 * s, 20], [0, 0.4 * s, 0.4 * c, -3]])
        np.save(self.directory / "matrix.npy", matrix)
        of_low_order = itertools.product((0, 1, 3), ("constant", "nearest", "grid-wrap"))
        for order, mode in (*of_low_order, (5, "grid-wrap")):
            with self.subTest(order=order, mode=mode):
                # The input, and the coefficients after each axis; of the orders 4 and 5 in double.
                arrays = {0: 1, 1: 1, 3: 4, 5: 7}[order]
                self.assert_invisible("affine", self.save(array), "--matrix", self.directory / "matrix.npy", "--shape",
                                      "190,210,220", "--order", order, "--mode", mode,
                                      room=arrays * (array.nbytes + 2 * MIB) + 6 * MIB)


if __name__ == "__main__":
    unittest.main()
