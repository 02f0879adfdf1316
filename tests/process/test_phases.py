"""Jobs whose kernel works in phases: a barrier between them, workspaces in the volume, whole or with each band."""

import os
import signal
import unittest

import numpy as np

from slab_harness import DaemonTestCase
from started_command import EXIT_DONE
from streaming_jobs import TILE_BYTES, phases, phases_of


def numbers(shape, order="C"):
    return np.asarray(np.arange(shape[0] * shape[1], dtype=np.int64).reshape(shape) % 1013, order=order)


class Phases(DaemonTestCase):
    def daemon_for(self, workers=2, **options):
        return self.running_daemon(test_kernels=True, workers=workers, **options)

    def test_every_tile_reads_what_all_tiles_of_the_phase_before_have_written(self):
        for workers in (1, 2, 7):
            for tile_bytes in ("1kB", "64kB", "1GB"):
                with self.subTest(workers=workers, tile_bytes=tile_bytes), \
                        self.daemon_for(workers, tile_bytes=tile_bytes) as daemon, daemon.connect() as connection:
                    array = numbers((301, 517))

                    result = connection.run("test_phases", array)

                    np.testing.assert_array_equal(result, phases_of(array))

    def test_bands_give_the_bits_of_the_whole(self):
        array = numbers((2000, 700))
        expected = phases_of(array)
        with self.daemon_for() as daemon, daemon.connect() as connection:
            for memory in ("100MiB", "20MiB", "7MiB", "4.3MB"):
                with self.subTest(memory=memory):
                    source, target = self.directory / "in.npy", self.directory / f"{memory}.npy"
                    np.save(source, array)
                    report = connection.submit("test_phases", str(source), out=str(target), max_memory=memory).wait(60)

                    np.testing.assert_array_equal(np.load(target), expected)
                    self.assertEqual(report["bands"] > 1, memory != "100MiB")
                    self.assertEqual(report["tiles_done"], report["tiles"])

    def test_what_a_kernel_needs_beside_its_arrays_is_counted(self):
        with self.daemon_for() as daemon, daemon.connect() as connection:
            array = numbers((1024, 1024))  # 8 MiB: input, output and the sums as much again
            plan = connection.plan("test_phases", array)

            self.assertEqual(plan["phases"], 3)
            self.assertGreaterEqual(plan["work_bytes"], array.nbytes)
            self.assertGreaterEqual(plan["holds_bytes"], 3 * array.nbytes)
            self.assertLessEqual(plan["holds_bytes"], 3 * array.nbytes + (8 << 20))
            job = connection.submit("test_phases", array)
            report = job.wait(60)
            self.assertEqual(report["peak_volume_bytes"], plan["holds_bytes"])
            np.testing.assert_array_equal(job.result(), phases_of(array))
            job.drop()
            daemon.wait_until_nothing_is_held()

    def test_a_worker_killed_in_each_phase_costs_a_lease(self):
        for after in range(0, 24, 3):
            with self.subTest(after=after), self.daemon_for(tile_bytes=TILE_BYTES) as daemon:
                job = phases(self.directory)
                command = daemon.start_slab("run", *job.arguments())
                for _ in range(after):  # further into the job each time
                    daemon.arm("worker-after-tile")
                    os.kill(daemon.wait_stopped("worker-after-tile"), signal.SIGCONT)
                daemon.arm("worker-before-tile")
                os.kill(daemon.wait_stopped("worker-before-tile"), signal.SIGKILL)
                command.finish()

                self.assert_exit(command, EXIT_DONE)
                job.assert_written(self)
                daemon.wait_until_nothing_is_held()


if __name__ == "__main__":
    unittest.main()
