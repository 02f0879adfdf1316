"""realign: the same bytes and the same numbers for any number of workers and any tiles, and whichever of them is killed."""

import os
import signal
import unittest

import numpy as np

from moving_phantom import Head, random_walk, rigid
from slab_harness import EXIT_DONE, DaemonTestCase

FRAMES = 18  # enough for gain fields


def moving_series():
    head = Head(shape=(20, 22, 16), affine=np.diag([-4.0, 4.0, 4.0, 1.0]))
    walk = random_walk(np.random.default_rng(2), FRAMES, 2.0, 2.0)
    return head.series([rigid(row, head.centre) for row in walk], noise=2.0), head.affine


class MotionCorrection(DaemonTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.series, cls.affine = moving_series()

    def corrected(self, slabd, **options):
        job = slabd.submit("realign", self.series, affine=self.affine, mask_outside=True, **options)
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

    def test_a_worker_killed_in_each_phase_costs_a_lease(self):
        with self.running_daemon() as daemon:
            expected = self.corrected(daemon.connect())
        np.save(self.directory / "in.npy", self.series)
        np.savetxt(self.directory / "affine.txt", self.affine)
        for after in range(0, 25, 4):  # further into the job each time
            with self.subTest(after=after), self.running_daemon() as daemon:
                output = self.directory / f"{after}.npy"
                command = daemon.start_slab("run", "realign", self.directory / "in.npy", "-o", output, "--affine",
                                            self.directory / "affine.txt", "--mask-outside", "--json")
                for _ in range(after):
                    daemon.arm("worker-after-tile")
                    os.kill(daemon.wait_stopped("worker-after-tile"), signal.SIGCONT)
                daemon.arm("worker-before-tile")
                os.kill(daemon.wait_stopped("worker-before-tile"), signal.SIGKILL)
                command.finish()

                self.assert_exit(command, EXIT_DONE)
                report = command.json()
                self.assertEqual(report["workers_lost"], 1)
                self.assertEqual(report["result"]["motion"], expected[1])
                np.testing.assert_array_equal(np.load(output), expected[0])
                daemon.wait_until_nothing_is_held()


if __name__ == "__main__":
    unittest.main()
