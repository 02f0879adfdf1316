"""A share of the zooms of higher order, by the scalar code that defines the kernel."""

import unittest

import test_zoom_of_higher_order


class ScalarZoom(test_zoom_of_higher_order.ZoomOfHigherOrder):
    daemon_options = {"environment": {"SLABD_SIMD": "scalar"}}
    every = 11  # prime to the length of every axis, so that no value is left out

    def test_the_daemon_computes_without_simd(self):
        job = self.slabd.submit("zoom", [1.0, 2.0], factor=2, order=1)

        report = job.wait()

        job.drop()
        self.assertEqual(report["simd"], "scalar")


def load_tests(loader, _tests, _pattern):
    return loader.loadTestsFromTestCase(ScalarZoom)


if __name__ == "__main__":
    unittest.main()
