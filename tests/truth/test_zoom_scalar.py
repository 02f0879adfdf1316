"""A share of the zooms of higher order, by the scalar code that defines the kernel."""

import itertools
import math
import unittest

import test_zoom_of_higher_order


class ScalarZoom(test_zoom_of_higher_order.ZoomOfHigherOrder):
    daemon_options = {"environment": {"SLABD_SIMD": "scalar"}}

    def cases(self, *axes):
        """At most sixty of their product: a case of the definition takes as long as thirty of the fast ones. The steps are
        prime to every axis's length, so that no value of an axis is left out where the product is long."""
        count = math.prod(map(len, axes))
        step = next(step for step in (11, 31, 61) if count <= 60 * step)
        return itertools.islice(itertools.product(*axes), 0, None, step)

    def test_the_daemon_computes_without_simd(self):
        job = self.slabd.submit("zoom", [1.0, 2.0], factor=2, order=1)

        report = job.wait()

        job.drop()
        self.assertEqual(report["simd"], "scalar")


def load_tests(loader, _tests, _pattern):
    return loader.loadTestsFromTestCase(ScalarZoom)


if __name__ == "__main__":
    unittest.main()
