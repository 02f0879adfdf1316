"""Workers killed at random moments, seed by seed. SLABD_SEEDS says how many seeds (10; 200 in the long test)."""

import contextlib
import os
import random
import signal
import threading
import time
import unittest

import numpy as np
import scipy.ndimage

import slab
from daemon_status import worker_pids_by_cpu
from hand_loops import checkered, zoomed_by_round
from jobs_under_test import slow_input
from slab_harness import DaemonTestCase
from streaming_jobs import phases_of
from waiting import wait_until

SEEDS = int(os.environ.get("SLABD_SEEDS", "10"))
MOST_KILLS = 2  # a third on one tile would rightly fail the job


class RandomKills(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(test_kernels=True, workers=2, tile_bytes="16kB", populate="on_demand")
        self.slabd = self.daemon.connect()

    def kill_workers(self, rng, within_s):
        """The pids of up to MOST_KILLS busy workers, each killed at a random moment from now."""
        connection = slab.Connection(self.daemon.socket)
        killed = set()
        for _ in range(rng.randint(1, MOST_KILLS)):
            time.sleep(rng.uniform(0, within_s))  # the moment is what is random here; nothing waits for it
            pids = sorted(worker_pids_by_cpu(connection.status(), ["busy"]).values())
            if pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid := rng.choice(pids), signal.SIGKILL)
                    killed.add(pid)
        connection.close()
        return killed

    def test_a_zoom_is_bit_identical_whenever_workers_die(self):
        array = checkered((64, 96, 128))
        expected = zoomed_by_round(array, 2)
        for seed in range(SEEDS):
            with self.subTest(seed=seed):
                rng = random.Random(seed)
                killer = threading.Thread(target=self.kill_workers, args=(rng, 0.01))
                killer.start()
                result = self.slabd.run("zoom", array, factor=2, convention="round")
                killer.join()

                np.testing.assert_array_equal(result, expected)
                del result

    def test_each_kill_within_a_job_is_counted_and_repeats_tiles(self):
        array = slow_input(tiles=64)
        for seed in range(SEEDS):
            with self.subTest(seed=seed):
                rng = random.Random(seed)
                job = self.slabd.submit("test_slow", array, milliseconds=4, tile_bytes=4096)
                wait_until(lambda: job.show()["tiles_done"] > 0, "the job runs")

                killed = self.kill_workers(rng, 0.02)
                record = job.wait()
                result = job.result()
                job.drop()

                np.testing.assert_array_equal(result, array)
                self.assertEqual(record["workers_lost"], len(killed))
                self.assertEqual(record["tiles_repeated"] > 0, bool(killed))
                del result

    def test_a_pipeline_is_bit_identical_whenever_workers_die(self):
        """Four phases of two kernels, one of them in another one's halo."""
        array = np.arange(48 * 1024, dtype=np.int64).reshape(48, 1024) % 1009
        taken = np.clip(np.rint(np.arange(2048) / 2).astype(int), 0, 1023)
        self.assert_whatever_dies(0.04, phases_of(array)[:, taken],
                                  [slab.step("test_phases", name="sums", milliseconds=1),
                                   slab.step("zoom", factor=[1, 2], convention="round")], array)

    def test_a_fold_is_bit_identical_whenever_workers_die(self):
        """float64 of many magnitudes: sums grouped in another way would differ in their last bits."""
        rng = np.random.default_rng(5)
        array = rng.standard_normal((600, 2048)) * 10.0**rng.integers(-9, 9, (600, 2048))
        expression = {"expr": "sin(a) * a", "reduce": "sum", "axis": 0}
        undisturbed = np.array(self.slabd.run("fold", array, **expression))
        np.testing.assert_allclose(undisturbed, (np.sin(array) * array).sum(axis=0), rtol=1e-9)
        self.assert_whatever_dies(0.02, undisturbed, "fold", array, **expression)

    def test_a_gaussian_is_bit_identical_whenever_workers_die(self):
        """Its results leave a worker past the caches, rows of one layer while those of others are summed up."""
        array = np.random.default_rng(6).standard_normal((64, 192, 256)).astype(np.float32)
        undisturbed = np.array(self.slabd.run("gaussian", array, sigma=2))
        np.testing.assert_allclose(undisturbed, scipy.ndimage.gaussian_filter(array, 2), atol=2e-6)
        self.assert_whatever_dies(0.02, undisturbed, "gaussian", array, sigma=2)

    def assert_whatever_dies(self, within_s, expected, kernel, array, **parameters):
        lost = 0
        for seed in range(SEEDS):
            with self.subTest(seed=seed):
                killer = threading.Thread(target=self.kill_workers, args=(random.Random(seed), within_s))
                killer.start()
                job = self.slabd.submit(kernel, array, **parameters)
                record = job.wait()
                killer.join()
                result = job.result()
                job.drop()

                np.testing.assert_array_equal(result, expected)
                lost += record["workers_lost"]
                del result
        self.assertGreater(lost, 0, "no kill fell into a job")


if __name__ == "__main__":
    unittest.main()
