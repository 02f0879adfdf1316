"""Workers are shared fairly: between users, then by priority, then by age."""

import json
import unittest

from jobs_under_test import slow_input
from other_users import as_user, needs_root
from slab_harness import DaemonTestCase
from started_command import start_python
from waiting import wait_until

TILES = 40
SUBMIT_AND_WAIT = """
import json, sys, numpy, slab
a = numpy.arange(512 * 40).reshape(40, 512)
job = slab.submit("test_slow", a, milliseconds=5, tile_bytes=4096, daemon=True)
job.wait()
print(json.dumps([entry["outcome"] for entry in slab.jobs(all=True) if entry["name"] == "many"]))
job.drop()
"""


class FairSharing(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(test_kernels=True, workers=1, socket_mode="0660", nice=0)
        self.slabd = self.daemon.connect()

    def submit(self, name, tiles=TILES, **options):
        return self.slabd.submit("test_slow", slow_input(tiles), milliseconds=5, tile_bytes=4096, name=name,
                                 **options)

    def order_of_ends(self, jobs):
        """The names of the jobs in the order in which they ended."""
        ended = []

        def look():
            for job in jobs:
                if job not in ended and job.show()["state"] == "ended":
                    ended.append(job)
            return len(ended) == len(jobs)
        wait_until(look, "every job ends")
        for job in jobs:
            job.drop()
        return [job.show()["name"] for job in ended]

    @needs_root
    def test_a_users_one_job_does_not_wait_behind_anothers_eight(self):
        many = [self.submit("many") for _ in range(8)]
        wait_until(lambda: many[0].show()["tiles_done"] > 0, "the first user's jobs run")

        other = start_python(SUBMIT_AND_WAIT, prefix=as_user(12345), socket=self.daemon.socket).finish()

        self.assertEqual(other.code, 0, other.err)
        ended = [outcome for outcome in json.loads(other.out) if outcome]
        # With half of the workers, it takes as long as two jobs do; a queue by age would have ended all eight.
        self.assertLess(len(ended), 5)
        for job in many:
            job.wait()
            job.drop()

    def test_a_job_of_better_priority_overtakes(self):
        jobs = [self.submit("ordinary", tiles=100)]
        wait_until(lambda: jobs[0].show()["tiles_done"] > 0, "the ordinary job runs")

        jobs.append(self.submit("urgent", tiles=10, priority=-20))

        self.assertEqual(self.order_of_ends(jobs), ["urgent", "ordinary"])

    def test_a_job_of_worse_priority_waits(self):
        jobs = [self.submit("late", tiles=60, priority=19)]
        wait_until(lambda: jobs[0].show()["tiles_done"] > 0, "the job of low priority runs")

        jobs.append(self.submit("ordinary", tiles=60))

        self.assertEqual(self.order_of_ends(jobs), ["ordinary", "late"])

    def test_several_jobs_at_once_all_end_right(self):
        jobs = [self.submit(f"{number}", tiles=10 + number) for number in range(12)]

        for job in jobs:
            self.assertEqual(job.wait()["outcome"], "done")
            self.assertTrue((job.result() == slow_input(job.result().shape[0])).all())
            job.drop()


if __name__ == "__main__":
    unittest.main()
