"""The issue's own case at full size: (1024, 1024, 512) of bool, factor 2, with its published counts of voxels."""

import unittest

import numpy as np

from slab_harness import SharedDaemonTestCase

SHAPE = (1024, 1024, 512)


def box():
    array = np.zeros(SHAPE, bool)
    array[50:600, 200:1000, 5:30] = True
    return array


def nonzero_extent(index_of, n_in, first, last):
    """Which output indices read the input's [first, last), as a table of booleans."""
    index = index_of(np.arange(2 * n_in), n_in)
    return (index >= first) & (index < last)


def by_round(k, n):
    return np.minimum(np.rint(k / 2), n - 1)


def by_scipy(k, n):
    return np.floor(k * ((n - 1) / (2 * n - 1)) + 0.5)


class MouseScan(SharedDaemonTestCase):
    daemon_options = {"volume": "6GiB", "workers": None}

    def check(self, index_of, count, **parameters):
        tables = [nonzero_extent(index_of, n, *bounds)
                  for n, bounds in zip(SHAPE, ((50, 600), (200, 1000), (5, 30)))]

        result = self.slabd.run("zoom", box(), factor=2, **parameters)

        self.assertEqual(result.shape, (2048, 2048, 1024))
        self.assertEqual(int(np.count_nonzero(result)), count)
        # The output is a box again: every plane is that one, or empty.
        plane = np.logical_and.outer(tables[1], tables[2])
        empty = np.zeros_like(plane)
        for z, inside in enumerate(tables[0]):
            self.assertTrue(np.array_equal(result[z], plane if inside else empty), f"plane {z}")

    def test_the_hand_written_loop_counts_86240000(self):
        self.check(by_round, 86_240_000, convention="round")

    def test_scipys_default_counts_88000000(self):
        self.check(by_scipy, 88_000_000, convention="scipy", order=0)


if __name__ == "__main__":
    unittest.main()
