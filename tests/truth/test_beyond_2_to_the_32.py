"""Outputs with more than 2^32 elements, at both ends. Needs 5.25 GiB of /dev/shm."""

import unittest

import numpy as np

from slab_harness import SharedDaemonTestCase

SHAPE = (1601, 1649, 1657)  # 4.37e9 elements
SOURCE = (401, 413, 415)


def by_hand(array, coordinates):
    """Interpolated linearly, axis by axis, in double; integers rounded half away from zero."""
    real = array.astype(float)
    for axis, c in enumerate(coordinates):
        first = np.clip(np.floor(c).astype(int), 0, array.shape[axis] - 2)
        share = (c - first).reshape([-1 if a == axis else 1 for a in range(array.ndim)])
        real = np.take(real, first, axis) * (1 - share) + np.take(real, first + 1, axis) * share
    return real


def ends_and_middle(n):
    """Some planes of each kind; the middle ones lie on either side of element 2^31 or 2^32."""
    rows = {0, 1, 2, n // 3, n - 3, n - 2, n - 1}
    for elements in (2**31, 2**32):
        plane = elements // (SHAPE[1] * SHAPE[2])
        rows |= {plane - 1, plane, plane + 1}
    return sorted(row for row in rows if 0 <= row < n)


class Beyond2ToThe32(SharedDaemonTestCase):
    daemon_options = {"volume": "5.25GiB", "workers": None}

    def setUp(self):
        self.assertGreater(np.prod(SHAPE), 2**32)
        self.array = np.random.default_rng(1).integers(0, 256, SOURCE, np.uint8)

    def check(self, kernel, coordinates, **parameters):
        result = self.slabd.run(kernel, self.array, **parameters)

        self.assertEqual(result.shape, SHAPE)
        for z in ends_and_middle(SHAPE[0]):
            real = by_hand(self.array, [coordinates[0][[z]], coordinates[1], coordinates[2]])[0]
            off = np.abs(result[z].astype(float) - np.floor(real + 0.5))
            near_half = np.abs(real - np.floor(real) - 0.5) < 1e-9 * 255
            self.assertFalse(((off > 1) | ((off == 1) & ~near_half)).any(), f"plane {z}")

    def test_zoom_of_order_1(self):
        coordinates = [np.arange(m) * ((n - 1) / (m - 1)) for n, m in zip(SOURCE, SHAPE)]

        self.check("zoom", coordinates, shape=SHAPE, order=1)

    def test_affine_of_order_1(self):
        steps = [(n - 1.5) / (m - 1) for n, m in zip(SOURCE, SHAPE)]
        coordinates = [0.25 + np.arange(m) * step for m, step in zip(SHAPE, steps)]

        self.check("affine", coordinates, matrix=np.diag(steps), offset=[0.25, 0.25, 0.25], shape=SHAPE, order=1)


if __name__ == "__main__":
    unittest.main()
