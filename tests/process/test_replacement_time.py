"""How soon a killed worker is replaced on its CPU. Runs alone: it measures time."""

import os
import signal
import time
import unittest

from daemon_status import worker_pids_by_cpu
from slab_harness import DaemonTestCase
from waiting import wait_until

LIMIT_S = 0.050
TRIES = 5


class ReplacementTime(DaemonTestCase):
    def test_a_killed_worker_is_replaced_on_its_cpu_within_50_ms(self):
        daemon = self.start_daemon(workers=2, huge_pages="try")
        slabd = daemon.connect()
        wait_until(lambda: len(worker_pids_by_cpu(slabd.status())) == 2, "both workers are ready")
        times = []
        for _ in range(TRIES):
            cpu, old = sorted(worker_pids_by_cpu(slabd.status()).items())[0]

            os.kill(old, signal.SIGKILL)
            begin = time.monotonic()
            wait_until(lambda: worker_pids_by_cpu(slabd.status()).get(cpu, old) != old, f"a new worker on CPU {cpu}")
            times.append(time.monotonic() - begin)

            new = worker_pids_by_cpu(slabd.status())[cpu]
            self.assertEqual(os.sched_getaffinity(new), {cpu})

        # The best of five: the machine may be busy with others, the daemon may not be slow every time.
        self.assertLess(min(times), LIMIT_S, f"{[f'{t * 1e3:.1f} ms' for t in times]}")


if __name__ == "__main__":
    unittest.main()
