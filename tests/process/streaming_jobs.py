"""Jobs that stream from file to file in many bands, each with its result worked out by hand."""

import gzip
import io
import pathlib
import tempfile

import numpy as np

from hand_loops import checkered, zoomed_by_round

TILE_BYTES = "16kB"


class StreamingJob:
    """A command line in a directory of its own. `expected`: what the output must hold."""

    def __init__(self, parent, kernel, inputs, expected, options, max_memory):
        self.directory = pathlib.Path(tempfile.mkdtemp(dir=parent, prefix="job-"))
        self.inputs = []
        for number, (name, content) in enumerate(inputs):
            path = self.directory / f"in{number}{name}"
            path.write_bytes(content)
            self.inputs.append(path)
        self.output = self.directory / "out.npy"
        self.kernel, self.options, self.max_memory = kernel, options, max_memory
        self.expected = expected

    def arguments(self):
        return [self.kernel, *self.inputs, "-o", self.output, *self.options, "--max-memory", self.max_memory]

    def assert_written(self, test):
        found = np.load(self.output)
        np.testing.assert_array_equal(found, self.expected)
        test.assertEqual(found.dtype.newbyteorder("="), self.expected.dtype.newbyteorder("="))
        test.assertEqual(sorted(path.name for path in self.directory.iterdir()),
                         sorted(path.name for path in (*self.inputs, self.output)))


def _npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


ROUND = ["--factor", 2, "--convention", "round"]


LEAST = "2.2MB"  # one extent of the volume for the whole ring: bands of less than a megabyte


def plain_zoom(parent):
    array = checkered((96, 80, 96))
    return StreamingJob(parent, "zoom", [(".npy", _npy(array))], zoomed_by_round(array, 2), ROUND, LEAST)


def big_endian_zoom(parent):
    array = checkered((96, 40, 48), ">i4")
    return StreamingJob(parent, "zoom", [(".npy", _npy(array))], zoomed_by_round(array, 2), ROUND, LEAST)


def gzip_zoom(parent):
    array = checkered((96, 80, 96))
    return StreamingJob(parent, "zoom", [(".npy.gz", gzip.compress(_npy(array), 1))], zoomed_by_round(array, 2),
                        ROUND, LEAST)


def fortran_zoom(parent):
    array = np.asfortranarray(checkered((48, 48, 96), "<f4"))
    return StreamingJob(parent, "zoom", [(".npy", _npy(array))], zoomed_by_round(array, 2), ROUND, LEAST)


def outer(parent):
    """One input streams, the other one stays."""
    a, b = np.arange(1500.0) - 3, np.arange(700.0) + 0.5
    return StreamingJob(parent, "outer", [(".npy", _npy(a)), (".npy", _npy(b))], np.outer(a, b), [], "4.3MB")


def slow_copy(parent, milliseconds=4):
    """Needs the daemon with the test kernels. 288 tiles, one after another."""
    array = np.arange(288 * 2048, dtype=np.int64).reshape(288, 2048)
    return StreamingJob(parent, "test_slow", [(".npy", _npy(array))], array, ["--milliseconds", milliseconds], LEAST)


def phases_of(array):
    """What test_phases computes, by hand."""
    numbers = np.arange(64, dtype=np.int64)**2 + 8
    rows, columns = np.arange(array.shape[0]), np.arange(array.shape[1])

    def column_sums(values, halo):
        return sum(values[np.clip(rows + d, 0, len(rows) - 1)] for d in range(-halo, halo + 1))
    sums = column_sums(array, 2) + numbers[columns % 64]
    return column_sums(sums, 1) * numbers[rows % 64, None]


def phases(parent, milliseconds=1):
    """Needs the daemon with the test kernels. Bands with a halo, each in three phases (the first of them once)."""
    array = np.arange(288 * 2048, dtype=np.int64).reshape(288, 2048) % 1009
    return StreamingJob(parent, "test_phases", [(".npy", _npy(array))], phases_of(array),
                        ["--milliseconds", milliseconds], "4.3MB")


PIPELINE = """
[[step]]
name = "sums"
kernel = "test_phases"
parameters = { milliseconds = 1 }
[[step]]
kernel = "zoom"
parameters = { factor = [1, 2], convention = "round" }
"""


def pipeline(parent):
    """Needs the daemon with the test kernels. Four phases of two kernels, one of them in another kernel's halo."""
    array = np.arange(288 * 1024, dtype=np.int64).reshape(288, 1024) % 1009
    file = pathlib.Path(tempfile.mkdtemp(dir=parent, prefix="pipeline-")) / "job.toml"
    file.write_text(PIPELINE)
    taken = np.clip(np.rint(np.arange(2048) / 2).astype(int), 0, 1023)
    return StreamingJob(parent, file, [(".npy", _npy(array))], phases_of(array)[:, taken], [], "6.4MB")


def fold(parent):
    """What every band leaves gathers in a workspace that stays; the output is there when the last one is done."""
    array = np.arange(288 * 2048, dtype=np.int64).reshape(288, 2048) % 1009
    return StreamingJob(parent, "fold", [(".npy", _npy(array))], (array * array).sum(axis=0),
                        ["--expr", "a * a", "--reduce", "sum", "--axis", 0], "6.4MB")


BEHIND_A_FOLD = """
[[step]]
kernel = "fold"
parameters = { expr = "a * a", reduce = "sum", axis = 1 }
[[step]]
kernel = "map"
parameters = { expr = "a * 3" }
"""


def behind_a_fold(parent):
    """Bands go through the fold; the step behind it waits for the last one."""
    array = np.arange(288 * 2048, dtype=np.int64).reshape(288, 2048) % 1009
    file = pathlib.Path(tempfile.mkdtemp(dir=parent, prefix="pipeline-")) / "job.toml"
    file.write_text(BEHIND_A_FOLD)
    return StreamingJob(parent, file, [(".npy", _npy(array))], 3 * (array * array).sum(axis=1), [], "6.4MB")


KINDS = (plain_zoom, big_endian_zoom, gzip_zoom, fortran_zoom, outer, slow_copy, phases, pipeline, fold,
         behind_a_fold)
