"""A child killed at any named point costs its lease, not the job."""

import os
import signal
import unittest

from jobs_under_test import SMALL_TILES, FileToFileZoom
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE

WITH_A_LEASE = ("worker-before-tile", "worker-after-tile", "worker-before-report")
MOVER_POINTS = ("mover-before-check", "mover-before-load", "mover-in-load", "mover-before-flush", "mover-in-flush",
                "mover-before-header", "mover-before-report")


class KilledAtAPausePoint(DaemonTestCase):
    def run_and_kill(self, points, workers=2):
        """One job; each of the points is armed when the process at the one before it has stopped, then that one
        killed. Returns the job as `slab run --json` reports it."""
        with self.running_daemon(workers=workers, tile_bytes=SMALL_TILES) as daemon:
            job = FileToFileZoom(self.directory)
            daemon.arm(points[0])
            command = daemon.start_slab(*job.arguments())
            for point, next_point in zip(points, (*points[1:], None)):
                pid = daemon.wait_stopped(point)
                if next_point:
                    daemon.arm(next_point)
                os.kill(pid, signal.SIGKILL)

            command.finish()

            self.assert_exit(command, EXIT_DONE)
            job.assert_written(self)
            daemon.wait_until_nothing_is_held()
            return command.json()

    def test_a_worker_with_a_lease_is_replaced_and_its_tiles_are_repeated(self):
        for point in WITH_A_LEASE:
            for workers in (1, 2):
                with self.subTest(point=point, workers=workers):
                    record = self.run_and_kill([point], workers)

                    self.assertEqual(record["workers_lost"], 1)
                    self.assertGreater(record["tiles_repeated"], 0)

    def test_a_replacement_that_dies_before_it_is_ready_is_replaced_too(self):
        record = self.run_and_kill(["worker-before-tile", "worker-before-idle"], workers=1)

        self.assertGreater(record["tiles_repeated"], 0)

    def test_two_workers_may_die_one_after_another(self):
        record = self.run_and_kill(["worker-before-tile", "worker-before-report"])  # a third could cost the tile

        self.assertEqual(record["workers_lost"], 2)

    def test_a_mover_is_replaced_at_every_point_of_its_life(self):
        for point in MOVER_POINTS:
            with self.subTest(point=point):
                record = self.run_and_kill([point])

                self.assertEqual(record["workers_lost"], 0)


class StoppedAtAPausePoint(DaemonTestCase):
    def test_a_worker_that_goes_on_after_a_pause_costs_nothing(self):
        daemon = self.start_daemon(tile_bytes=SMALL_TILES)
        job = FileToFileZoom(self.directory)
        daemon.arm("worker-after-tile")
        command = daemon.start_slab(*job.arguments())
        pid = daemon.wait_stopped("worker-after-tile")

        os.kill(pid, signal.SIGCONT)
        command.finish()

        self.assert_exit(command, EXIT_DONE)
        job.assert_written(self)
        self.assertEqual((command.json()["workers_lost"], command.json()["tiles_repeated"]), (0, 0))

    def test_a_fresh_worker_killed_while_the_daemon_starts_is_replaced(self):
        daemon = self.start_daemon(workers=2, pause=["worker-before-idle"])
        pid = daemon.wait_stopped("worker-before-idle")
        job = FileToFileZoom(self.directory)

        os.kill(pid, signal.SIGKILL)
        command = daemon.slab(*job.arguments())

        self.assert_exit(command, EXIT_DONE)
        job.assert_written(self)


if __name__ == "__main__":
    unittest.main()
