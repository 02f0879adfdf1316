"""1, 2 or 7 workers, tiny or huge tiles: the same bytes."""

import unittest

import numpy as np

from hand_loops import checkered, zoomed_by_round
from slab_harness import DaemonTestCase

TILES = ("1kB", "10kB", "300kB", "1GiB")


class TilingIsInvisible(DaemonTestCase):
    def test_any_number_of_workers_and_any_tile_size_give_the_same_bytes(self):
        array = checkered((30, 50, 70), np.uint16)
        expected = zoomed_by_round(array, (2, 1.7, 3))
        for workers in (1, 2, 7):
            with self.running_daemon(workers=workers) as daemon:
                slabd = daemon.connect()
                for tile_bytes in TILES:
                    with self.subTest(workers=workers, tile_bytes=tile_bytes):
                        result = slabd.run("zoom", array, factor=(2, 1.7, 3), convention="round",
                                           tile_bytes=tile_bytes)

                        np.testing.assert_array_equal(result, expected)
                        del result

    def test_tiny_tiles_are_many_and_a_huge_one_is_the_whole(self):
        array = checkered((30, 50, 70), np.uint16)
        with self.running_daemon() as daemon:
            slabd = daemon.connect()

            tiny = slabd.plan("zoom", array, factor=2, convention="round", tile_bytes="1kB")
            huge = slabd.plan("zoom", array, factor=2, convention="round", tile_bytes="1GiB")

            self.assertGreater(tiny["tiles"], 500)
            self.assertEqual(huge["tiles"], 1)

    def test_the_setting_is_the_default_of_the_request(self):
        array = checkered((30, 50, 70), np.uint16)
        with self.running_daemon(tile_bytes="1kB") as daemon:
            slabd = daemon.connect()

            by_setting = slabd.plan("zoom", array, factor=2, convention="round")
            by_request = slabd.plan("zoom", array, factor=2, convention="round", tile_bytes=1000)

            self.assertEqual(by_setting["tiles"], by_request["tiles"])


if __name__ == "__main__":
    unittest.main()
