"""zoom, affine and reslice of the higher orders: 1, 2 or 7 workers, tiny or huge tiles, the same bytes."""

import unittest

import numpy as np

from scipy_oracle import random_values
from slab_harness import DaemonTestCase

TILES = ("1kB", "10kB", "300kB", "1GiB")


def jobs():
    """(name, kernel, array, parameters)"""
    rng = np.random.default_rng(1)
    turned = np.array([[0.9, 0.1, -0.2, 1.1], [0.2, 0.8, 0.1, -0.7], [-0.1, 0.3, 1.1, 0.45]])
    rows = np.hstack([rng.uniform(-1, 1, (9, 3)), rng.uniform(-0.1, 0.1, (9, 3))])
    for dtype in ("f4", "i2", "c8"):
        array = random_values(rng, (30, 50, 70), dtype)
        for order in range(1, 6):
            for convention in ("scipy", "scipy-grid"):
                yield (f"zoom {dtype} {order} {convention}", "zoom", array,
                       {"factor": [2, 1.7, 0.6], "order": order, "convention": convention, "mode": "reflect"})
            yield (f"affine {dtype} {order}", "affine", array, {"matrix": turned, "order": order, "mode": "mirror"})
        yield (f"antialias {dtype}", "zoom", array, {"factor": 0.4, "order": 1, "antialias": True})
        for order in (0, 1, 3):
            for batch, series in (("first", random_values(rng, (9, 20, 21, 37), dtype)),
                                  ("last", random_values(rng, (20, 21, 37, 9), dtype))):
                yield (f"reslice {dtype} {order} batch {batch}", "reslice", series,
                       {"transforms": rows, "convention": "spm", "order": str(order), "batch": batch,
                        "mask_outside": order == 1})


class TiledResampling(DaemonTestCase):
    def test_any_number_of_workers_and_any_tile_size_give_the_same_bytes(self):
        expected = {}
        for workers in (1, 2, 7):
            with self.running_daemon(workers=workers) as daemon:
                slabd = daemon.connect()
                for tile_bytes in TILES:
                    for name, kernel, array, parameters in jobs():
                        with self.subTest(name, workers=workers, tile_bytes=tile_bytes):
                            result = np.array(slabd.run(kernel, array, tile_bytes=tile_bytes, **parameters))

                            first = expected.setdefault(name, result)
                            self.assertEqual(first.tobytes(), result.tobytes())

    def test_tiny_tiles_are_many(self):
        """Otherwise the test above would show nothing."""
        with self.running_daemon() as daemon:
            slabd = daemon.connect()
            for name, kernel, array, parameters in jobs():
                with self.subTest(name):
                    plan = slabd.plan(kernel, array, tile_bytes="1kB", **parameters)

                    self.assertGreater(plan["tiles"], 20)


if __name__ == "__main__":
    unittest.main()
