"""realign: the same bytes and the same numbers for any number of workers and any tiles, and whichever of them is killed."""

import contextlib
import os
import signal
import time
import unittest

import numpy as np

from moving_phantom import Head, random_walk, rigid
from slab_harness import DaemonTestCase

FRAMES = 18  # enough for gain fields


def moving_series(frames=FRAMES, shape=(20, 22, 16), voxel=4.0):
    head = Head(shape=shape, affine=np.diag([-voxel, voxel, voxel, 1.0]))
    walk = random_walk(np.random.default_rng(2), frames, 2.0, 2.0)
    return head.series([rigid(row, head.centre) for row in walk], noise=2.0), head.affine


def few_large_frames():
    """Of seven slabs each."""
    return moving_series(frames=3, shape=(40, 44, 32), voxel=2.0)


class MotionCorrection(DaemonTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.series, cls.affine = moving_series()

    def corrected(self, slabd, series=None, **options):
        series = self.series if series is None else series
        job = slabd.submit("realign", series, affine=self.affine, mask_outside=True, **options)
        motion = job.wait(120)["result"]["motion"]
        result = np.array(job.result())
        job.drop()
        return result, motion

    def test_any_number_of_workers_and_any_tile_size_give_the_same_bytes(self):
        expected = None
        for workers in (1, 2, 7):
            with self.running_daemon(workers=workers) as daemon:
                for tile_bytes in ("1kB", "300kB", "1GiB"):
                    with self.subTest(workers=workers, tile_bytes=tile_bytes):
                        result, motion = self.corrected(daemon.connect(), tile_bytes=tile_bytes)
                        expected = expected or (result.tobytes(), motion)
                        self.assertEqual(result.tobytes(), expected[0])
                        self.assertEqual(motion, expected[1])

    def test_few_large_frames_are_worked_on_in_slabs(self):
        series, _ = few_large_frames()
        expected = None
        for workers in (1, 2, 7):
            with self.running_daemon(workers=workers) as daemon:
                for tile_bytes in ("1kB", "1GiB"):
                    with self.subTest(workers=workers, tile_bytes=tile_bytes):
                        result, motion = self.corrected(daemon.connect(), series, tile_bytes=tile_bytes)
                        expected = expected or (result.tobytes(), motion)
                        self.assertEqual(result.tobytes(), expected[0])
                        self.assertEqual(motion, expected[1])

    def test_whenever_workers_die(self):
        """At any time of the job, in whichever phase it then is."""
        rng = np.random.default_rng(int(os.environ.get("SLABD_SEEDS", "12")))
        with self.running_daemon() as daemon:
            slabd = daemon.connect()
            expected = self.corrected(slabd)
            began = time.monotonic()
            self.corrected(slabd)
            duration = time.monotonic() - began
            for seed in range(int(os.environ.get("SLABD_SEEDS", "12"))):
                with self.subTest(seed=seed):
                    job = slabd.submit("realign", self.series, affine=self.affine, mask_outside=True)
                    for _ in range(1 + seed % 2):
                        time.sleep(rng.uniform(0, duration))
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(rng.choice(daemon.worker_pids()), signal.SIGKILL)
                    report = job.wait(60)
                    self.assertEqual(report["result"]["motion"], expected[1])
                    np.testing.assert_array_equal(job.result(), expected[0])
                    job.drop()
            daemon.wait_until_nothing_is_held()

    def test_a_worker_killed_in_each_phase_of_few_large_frames(self):
        """One that has not begun its tile, and one that has filled it, so that it is filled twice."""
        series, _ = few_large_frames()
        with self.running_daemon() as daemon:
            slabd = daemon.connect()
            expected = self.corrected(slabd, series)
            phases = slabd.plan("realign", series, affine=self.affine, mask_outside=True)["phases"]
            for point in ("worker-before-tile", "worker-after-tile"):
                with self.subTest(point=point):
                    daemon.arm(point)
                    job = slabd.submit("realign", series, affine=self.affine, mask_outside=True)
                    for phase in range(phases):
                        worker = daemon.wait_stopped(point)
                        if phase + 1 < phases:
                            daemon.arm("supervisor-after-phase")
                        os.kill(worker, signal.SIGKILL)
                        if phase + 1 < phases:
                            supervisor = daemon.wait_stopped("supervisor-after-phase")
                            daemon.arm(point)
                            os.kill(supervisor, signal.SIGCONT)
                    report = job.wait(60)
                    self.assertEqual(report["workers_lost"], phases)
                    self.assertEqual(report["result"]["motion"], expected[1])
                    np.testing.assert_array_equal(job.result(), expected[0])
                    job.drop()
            daemon.wait_until_nothing_is_held()


if __name__ == "__main__":
    unittest.main()
