"""smooth against scipy.ndimage.gaussian_filter, with sigmas worked out here."""

import unittest

import numpy as np
from scipy import ndimage

from slab_harness import SharedDaemonTestCase

FWHM_OF_SIGMA = 2.3548200450309493
OBLIQUE = np.array([[-2.9, 0.31, 0.2, 22.0], [0.35, 3.1, -0.4, -31.0], [0.15, 0.5, 2.4, -12.0], [0, 0, 0, 1.0]])


class Smooth(SharedDaemonTestCase):
    def assert_smoothed(self, array, sigma, **parameters):
        result = self.slabd.run("smooth", array, **parameters)
        expected = ndimage.gaussian_filter(array.astype(np.float64), sigma)
        self.assertLess(np.abs(result - expected).max() / np.abs(expected).max(), 2e-6)

    def test_widths_are_of_voxels_in_mm(self):
        rng = np.random.default_rng(1)
        spacing = np.sqrt((OBLIQUE[:3, :3] ** 2).sum(0))
        for order in "CF":
            volume = np.asarray(rng.random((15, 17, 11), np.float32), order=order)
            self.assert_smoothed(volume, 6 / FWHM_OF_SIGMA / spacing, fwhm=6, affine=OBLIQUE)
            self.assert_smoothed(volume, np.array([6, 0, 4]) / FWHM_OF_SIGMA / [2, 3, 4], fwhm=[6, 0, 4],
                                 voxel_size=[2, 3, 4])
            series = np.asarray(rng.random((9, 10, 11, 5), np.float32), order=order)
            self.assert_smoothed(series, [*np.array([5, 5, 5]) / FWHM_OF_SIGMA / [2, 3, 4], 0], fwhm=5,
                                 voxel_size=[2, 3, 4])
            series = np.asarray(rng.random((5, 9, 10, 11), np.float32), order=order)
            self.assert_smoothed(series, [0, *np.array([5, 5, 5]) / FWHM_OF_SIGMA / [2, 3, 4]], fwhm=5,
                                 voxel_size=[2, 3, 4], batch="first")

    def test_what_cannot_be_is_refused(self):
        volume = np.zeros((9, 9, 9), np.float32)
        for words, array, parameters in (("it is not given", volume, {}), ("2 are given", volume, {"fwhm": [5, 5]}),
                                         ("number 0 is -1", volume, {"fwhm": -1}),
                                         ("2 dimensions", volume[0], {"fwhm": 5})):
            with self.assertRaisesRegex(Exception, words):
                self.slabd.run("smooth", array, **parameters)


if __name__ == "__main__":
    unittest.main()
