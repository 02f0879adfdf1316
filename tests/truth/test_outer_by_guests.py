"""The 4 GB outer product by a function in Python, as people write it: every element is numpy's."""

import unittest

import numpy as np

from slab_harness import SharedDaemonTestCase


def operate(tile, y, x, out):
    out[:] = y[tile.y, None] * x[tile.x]


class OuterByGuests(SharedDaemonTestCase):
    daemon_options = {"workers": 2, "volume": "64MiB", "guest_memory": "4100MB"}

    def test_50000_by_10000_doubles(self):
        random = np.random.default_rng(1)
        y, x = random.standard_normal(50_000), random.standard_normal(10_000)
        for workers in (2, 5):
            result = self.slabd.map_tiles(operate, y, x, shape=(len(y), len(x)), dtype=float, workers=workers)
            for first in range(0, len(y), 1000):
                np.testing.assert_array_equal(result[first:first + 1000], np.outer(y[first:first + 1000], x))
            del result  # 4 GB twice at once are more than this daemon gives


if __name__ == "__main__":
    unittest.main()
