"""The headline case, a quarter as long along each axis: zoom x4 of (256, 256, 128) bool from a file to a file of 537 MB,
through a volume of 64 MiB. The case at full size is `stream` of tests/speed."""

import unittest

import numpy as np

from hand_loops import zoomed_by_round
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE

SHAPE = (256, 256, 128)
BOX = ((12, 150), (50, 250), (1, 8))
FACTOR = 4
VOLUME = 64 << 20


def box():
    array = np.zeros(SHAPE, bool)
    array[tuple(slice(*bounds) for bounds in BOX)] = True
    return array


def by_scipy(axis):
    """Of one axis: which output indices show a one, by scipy.ndimage.zoom's rule for order 0."""
    n = SHAPE[axis]
    index = np.floor(np.arange(FACTOR * n) * ((n - 1) / (FACTOR * n - 1)) + 0.5)
    return (index >= BOX[axis][0]) & (index < BOX[axis][1])


class StreamedMouseScan(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(volume="64MiB", workers=2)
        self.output = self.directory / "out.npy"
        np.save(self.directory / "in.npy", box())

    def stream(self, *parameters):
        command = self.daemon.slab("run", "zoom", self.directory / "in.npy", "-o", self.output, "--factor", FACTOR,
                                   *parameters, "--json")
        self.assert_exit(command, EXIT_DONE)
        report = command.json()
        self.assertGreater(report["bands"], 8)
        self.assertLessEqual(report["peak_volume_bytes"], VOLUME)
        result = np.load(self.output, mmap_mode="r")
        self.assertEqual(result.nbytes, FACTOR**3 * box().nbytes)
        return result

    def test_round_has_exactly_the_ones_of_the_hand_written_loop(self):
        result = self.stream("--convention", "round")

        expected = zoomed_by_round(box(), FACTOR)
        self.assertEqual(np.count_nonzero(result), np.count_nonzero(expected))
        np.testing.assert_array_equal(result, expected)

    def test_scipys_rule_has_exactly_the_ones_of_whole_axes(self):
        result = self.stream("--convention", "scipy", "--order", 0)

        inside = [by_scipy(axis) for axis in range(3)]
        self.assertEqual(np.count_nonzero(result), np.prod([np.count_nonzero(axis) for axis in inside]))
        plane = np.logical_and.outer(inside[1], inside[2])
        for z, has_ones in enumerate(inside[0]):
            np.testing.assert_array_equal(result[z], plane if has_ones else np.zeros_like(plane))


if __name__ == "__main__":
    unittest.main()
