"""zoom's other conventions against the loops that people write by hand, and what scipy cannot be asked for."""

import itertools
import unittest

import numpy as np

from hand_loops import checkered, zoomed_by_floor, zoomed_by_round
from slab_harness import SharedDaemonTestCase

SHAPES = [(1,), (19,), (7, 1), (23, 40), (4, 9, 33), (2, 3, 5, 7), (2, 1, 3, 2, 9)]


class ZoomByHand(SharedDaemonTestCase):
    def test_round_is_the_hand_written_loop(self):
        for shape, factor in itertools.product(SHAPES, (1, 2, 4, 3.3, 0.6, 1.5)):
            with self.subTest(shape=shape, factor=factor):
                array = checkered(shape)

                result = self.slabd.run("zoom", array, factor=factor, convention="round")

                np.testing.assert_array_equal(result, zoomed_by_round(array, factor))

    def test_round_takes_a_factor_per_axis(self):
        array = checkered((6, 10, 14), np.int32)

        result = self.slabd.run("zoom", array, factor=(2, 1, 4), convention="round")

        np.testing.assert_array_equal(result, zoomed_by_round(array, (2, 1, 4)))

    def test_floor_is_division_of_whole_numbers(self):
        for shape, factor in itertools.product(SHAPES, (1, 2, 3.3, 0.6, 1.5)):
            out_shape = tuple(int(round(n * factor)) for n in shape)
            with self.subTest(shape=shape, factor=factor):
                array = checkered(shape, np.float32)

                result = self.slabd.run("zoom", array, factor=factor, convention="floor")

                np.testing.assert_array_equal(result, zoomed_by_floor(array, out_shape))

    def test_a_shape_in_place_of_a_factor_is_met_exactly(self):
        array = checkered((5, 8, 13))
        for shape in ((11, 3, 29), (1, 1, 1), (5, 8, 13)):
            with self.subTest(shape=shape):
                result = self.slabd.run("zoom", array, shape=shape, convention="floor")

                np.testing.assert_array_equal(result, zoomed_by_floor(array, shape))

    def test_64_bit_integers_are_exact_beyond_the_reach_of_a_double(self):
        for dtype, first in (("u8", 2**64 - 40), ("i8", -2**63), ("i8", 2**53)):
            with self.subTest(dtype=dtype, first=first):
                array = (np.arange(20, dtype=np.uint64) + np.uint64(first % 2**64)).view(dtype)

                result = self.slabd.run("zoom", array, factor=2, convention="floor")

                np.testing.assert_array_equal(result, np.repeat(array, 2))

    def test_nan_payloads_and_negative_zeros_are_copied_bit_for_bit(self):
        for bits in ("u4", "u8"):
            with self.subTest(bits=bits):
                patterns = np.arange(64, dtype=bits)
                patterns |= np.array([0x7FF80001 << (32 if bits == "u8" else 0)], bits)
                patterns[::7] = np.array([1 << (np.dtype(bits).itemsize * 8 - 1)], bits)
                array = patterns.view("f4" if bits == "u4" else "f8")

                result = self.slabd.run("zoom", array, factor=3, convention="floor")

                np.testing.assert_array_equal(np.asarray(result).view(bits), np.repeat(patterns, 3))

    def test_five_dimensions_of_every_dtype(self):
        for dtype in ("?", "u1", "i2", "u4", "i8", "f4", "f8", "c8", "c16"):
            with self.subTest(dtype=dtype):
                array = checkered((3, 2, 4, 5, 6), dtype)

                result = self.slabd.run("zoom", array, factor=2, convention="floor")

                np.testing.assert_array_equal(
                    result, array.repeat(2, 0).repeat(2, 1).repeat(2, 2).repeat(2, 3).repeat(2, 4))


if __name__ == "__main__":
    unittest.main()
