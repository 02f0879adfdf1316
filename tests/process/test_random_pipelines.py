"""Random pipelines of random arrays in both memory orders: the bits of their kernels run one by one, also in bands.

SLABD_SEEDS says how many: ten times as many pipelines (100; 2000 in the long test).
"""

import os
import random
import unittest

import numpy as np

import slab
from slab_harness import DaemonTestCase

PIPELINES = 10 * int(os.environ.get("SLABD_SEEDS", "10"))
MOST_ELEMENTS = 3_000_000  # a pipeline has room for all its arrays
MODES = ("reflect", "mirror", "nearest", "constant", "wrap")


def gaussian(chance, axes):
    return {"sigma": [round(chance.uniform(0, 3), 2) for _ in axes], "mode": chance.choice(MODES), "cval": 2.5}


def derivative(chance, axes):
    """With a constant beyond the edge: the order of the axes matters."""
    return {"sigma": [round(chance.uniform(0.5, 2), 2) for _ in axes],
            "derivative": [chance.choice((0, 1, 2)) for _ in axes], "mode": "constant", "cval": 3.5}


def window(chance, axes):
    sizes = [chance.randint(1, 4) for _ in axes]
    return {"size": sizes, "origin": [chance.randint(-(size // 2), (size - 1) // 2) for size in sizes],
            "mode": chance.choice(MODES)}


def nearest(chance, axes):
    return {"factor": [chance.choice((0.5, 1, 1.7, 2)) for _ in axes], "order": 0,
            "convention": chance.choice(("round", "floor"))}


def spline(chance, axes):
    return {"factor": [chance.choice((0.5, 1, 1.3, 2)) for _ in axes], "order": chance.choice((1, 2, 3, 5)),
            "mode": chance.choice(("reflect", "constant", "grid-wrap", "nearest"))}


def moved(chance, axes):
    return {"matrix": np.diag([chance.uniform(0.8, 1.2) for _ in axes]),
            "offset": [chance.uniform(-2, 2) for _ in axes], "order": chance.choice((0, 1, 3))}


def of_one(chance, axes):
    return {"expr": chance.choice(("a * 2 + 1", "sqrt(abs(a))", "where(a > 0, a, -a)", "abs(a)"))}


def of_two(chance, axes):
    return {"expr": chance.choice(("a * 2 + b", "where(a == b, a, a - b)"))}


def along_an_axis(chance, axes):
    return {"axes": [chance.choice(axes)]}


def fold(chance, axes):
    return {"reduce": chance.choice(("sum", "mean", "max", "std")), "axis": [chance.choice(axes)]}


KERNELS = (("gaussian", gaussian), ("gaussian", derivative), ("uniform", window), ("median", window),
           ("maximum", window), ("zoom", nearest), ("zoom", spline), ("affine", moved), ("map", of_one),
           ("map", of_two), ("fft", along_an_axis), ("rfft", along_an_axis), ("fold", fold))


def random_array(chance):
    dimensions = chance.choice((1, 2, 3, 3, 4))
    elements = chance.choice((2e3, 2e5, 1e6))
    shape = [max(1, int(chance.uniform(0.5, 2) * elements ** (1 / dimensions))) for _ in range(dimensions)]
    if chance.random() < 0.3:
        shape[chance.randrange(dimensions)] = chance.choice((1, 2, 3))
    values = 50 * np.random.default_rng(chance.randrange(2**32)).standard_normal(shape)
    return np.asarray(values.astype(chance.choice(("f4", "f8", "u1", "i2"))), order=chance.choice("CCF"))


class RandomPipelines(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(volume="512MiB", workers=3, tile_bytes="64kB", populate="on_demand")
        self.slabd = self.daemon.connect()
        self.input, self.output = self.directory / "in.npy", self.directory / "out.npy"

    def test_give_what_their_kernels_give_one_by_one(self):
        whole_count = streamed_count = 0
        for seed in range(PIPELINES):
            chance = random.Random(seed)
            array = random_array(chance)
            steps, expected = self.one_by_one(chance, array)
            if len(steps) < 2:
                continue
            described = [(step.kernel, step.inputs, step.parameters) for step in steps]
            with self.subTest(seed=seed, shape=array.shape, dtype=array.dtype, steps=described):
                result = self.slabd.run(steps, array)
                np.testing.assert_array_equal(result, expected)
                whole_count += 1
                del result

                streamed_count += self.check_in_bands(steps, array, expected)
        self.assertGreater(whole_count, PIPELINES // 2)
        self.assertGreater(streamed_count, PIPELINES // 10)

    def one_by_one(self, chance, array):
        """A pipeline, and what its last step's kernel gives. A step that the kernel refuses (no maximum of complex
        numbers, no affine in 4 dimensions) or that makes the array large is left out; so is what the last needs not."""
        arrays, steps = [array], []
        for _ in range(chance.choice((2, 3, 4))):
            first = len(arrays) - 1 if chance.random() < 0.75 else chance.randrange(len(arrays))
            kernel, parameters_of = chance.choice(KERNELS)
            sources = [first]
            if parameters_of is of_two:
                alike = [number for number, other in enumerate(arrays) if other.shape == arrays[first].shape]
                sources.append(chance.choice(alike))
            parameters = parameters_of(chance, range(arrays[first].ndim))
            try:
                result = self.slabd.run(kernel, *[arrays[source] for source in sources], **parameters)
            except (slab.UsageError, slab.Refused):
                continue
            if np.ndim(result) == 0 or result.size > MOST_ELEMENTS:  # 0: a fold of the only axis
                continue
            arrays.append(np.array(result, order="F" if np.isfortran(array) else "C"))
            names = [0 if source == 0 else str(source) for source in sources]
            steps.append(slab.step(kernel, *names, name=str(len(arrays) - 1), **parameters))
        needed = {str(len(arrays) - 1)}
        for step in reversed(steps):
            if step.name in needed:
                needed.update(step.inputs)
        return [step for step in steps if step.name in needed] if 0 in needed else [], arrays[-1]

    def check_in_bands(self, steps, array, expected):
        """How often it streamed, of three sizes of memory."""
        np.save(self.input, array)
        whole_bytes = self.slabd.plan(steps, self.input)["holds_bytes"]
        count = 0
        for most in (whole_bytes // 2, whole_bytes // 5, 4 << 20):
            try:
                job = self.slabd.submit(steps, self.input, out=self.output, max_memory=most)
            except slab.Refused:
                continue
            count += job.wait()["bands"] > 1
            np.testing.assert_array_equal(job.result(), expected)
            self.output.unlink()
        return count


if __name__ == "__main__":
    unittest.main()
