"""The supervisor dies: its children end by themselves, its clients are told, and the next one starts clean."""

import os
import signal
import unittest

import numpy as np

from jobs_under_test import FileToFileZoom, slow_input
from process_table import processes_of_session
from slab_harness import DaemonTestCase
from started_command import EXIT_INTERRUPTED
from waiting import wait_until


class SupervisorDeath(DaemonTestCase):
    def test_a_kill_right_after_admission_interrupts_the_client_and_leaves_no_extent_held(self):
        daemon = self.start_daemon(pause=["supervisor-after-admission"])
        job = FileToFileZoom(self.directory)
        command = daemon.start_slab(*job.arguments())
        self.assertEqual(daemon.wait_stopped("supervisor-after-admission"), daemon.pid)

        daemon.kill()
        command.finish()
        daemon.start()

        self.assert_exit(command, EXIT_INTERRUPTED)
        self.assertFalse(job.output.exists())
        self.assertEqual(daemon.held_bytes(), 0)
        self.assertEqual(daemon.slab(*job.arguments()).code, 0)
        job.assert_written(self)

    def test_its_children_end_with_it_in_the_middle_of_a_job(self):
        daemon = self.start_daemon(test_kernels=True)
        slabd = daemon.connect()
        job = slabd.submit("test_slow", slow_input(2000), milliseconds=5, tile_bytes=4096)
        wait_until(lambda: job.show()["tiles_done"] > 0, "the job runs")
        session = daemon.pid

        os.kill(daemon.pid, signal.SIGKILL)

        wait_until(lambda: not [pid for pid in processes_of_session(session) if pid != session],
                   "workers, movers and zygote end", 10)

    def test_the_next_daemon_adopts_the_volume_and_works(self):
        daemon = self.start_daemon()
        first = daemon.connect()
        kept = first.submit("outer", np.arange(1000), np.arange(1000))
        kept.wait()
        volume_before = [os.stat(path).st_ino for path in daemon.shared_memory()]

        daemon.kill()
        daemon.start()

        self.assertEqual([os.stat(path).st_ino for path in daemon.shared_memory()], volume_before)
        second = daemon.connect()
        np.testing.assert_array_equal(second.attach(kept.id), np.outer(np.arange(1000), np.arange(1000)))
        daemon.slab("drop", kept.id)
        self.assertEqual(daemon.held_bytes(), 0)
        result = second.run("outer", np.arange(5), np.arange(5))
        np.testing.assert_array_equal(result, np.outer(np.arange(5), np.arange(5)))

    def test_a_child_that_ends_while_another_starts_never_leaves_a_zombie(self):
        daemon = self.start_daemon(workers=2)
        wait_until(lambda: len(daemon.worker_pids()) == 2, "both workers")
        for _ in range(10):
            wait_until(lambda: len(daemon.worker_pids()) == 2, "both workers are back")
            os.kill(daemon.worker_pids()[0], signal.SIGKILL)
        wait_until(lambda: len(daemon.worker_pids()) == 2, "both workers are back")

        zombies = [name for name in os.listdir("/proc") if name.isdigit() and self.is_zombie_of(name, daemon.pid)]

        self.assertEqual(zombies, [])

    @staticmethod
    def is_zombie_of(pid, session):
        try:
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return fields[0] == "Z" and int(fields[3]) == session


if __name__ == "__main__":
    unittest.main()
