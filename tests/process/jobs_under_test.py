"""The job that the process tests disturb, with its result worked out by hand."""

import pathlib
import tempfile

import numpy as np

from hand_loops import checkered, zoomed_by_round

SMALL_TILES = "16kB"


class FileToFileZoom:
    """`slab run zoom in.npy -o out.npy` in a directory of its own: 2 MB of output in over a hundred tiles, through a
    mover both ways."""

    def __init__(self, parent):
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=parent, prefix="job-"))
        self.input = self.directory / "in.npy"
        self.output = self.directory / "out.npy"
        array = checkered((48, 64, 96))
        np.save(self.input, array)
        self.expected = zoomed_by_round(array, 2)

    def arguments(self, *more):
        return ["run", "zoom", self.input, "-o", self.output, "--factor", 2, "--convention", "round", "--json", *more]

    def assert_written(self, test):
        np.testing.assert_array_equal(np.load(self.output), self.expected)
        test.assertEqual(sorted(path.name for path in self.directory.iterdir()), ["in.npy", "out.npy"])


def slow_input(tiles, tile_bytes=4096):
    """An input of which the copying test kernels make so many tiles, when asked for tile_bytes."""
    return np.arange(tiles * tile_bytes // 8, dtype=np.int64).reshape(tiles, tile_bytes // 8)
