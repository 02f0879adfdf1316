"""Who gives way to whom on a CPU: workers to all others."""

import os
import unittest

from daemon_status import worker_pids_by_cpu
from slab_harness import DaemonTestCase
from waiting import wait_until


class SchedulingPolicy(DaemonTestCase):
    def test_workers_are_pinned_and_nicer_and_take_no_cpu_from_the_supervisor_when_they_wake(self):
        daemon = self.start_daemon(workers=2)
        slabd = daemon.connect()
        wait_until(lambda: len(worker_pids_by_cpu(slabd.status())) == 2, "both workers are ready")
        for cpu, worker in worker_pids_by_cpu(slabd.status()).items():
            self.assertEqual(os.sched_getaffinity(worker), {cpu})
            self.assertEqual(os.getpriority(os.PRIO_PROCESS, worker), 10)
            self.assertEqual(os.sched_getscheduler(worker), os.SCHED_BATCH)

        supervisor = slabd.status()["pid"]
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, supervisor), 0)
        self.assertEqual(os.sched_getscheduler(supervisor), os.SCHED_OTHER)


if __name__ == "__main__":
    unittest.main()
