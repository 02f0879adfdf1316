"""A client that vanishes at any step leaks no descriptor, no extent and no lease."""

import os
import unittest

import numpy as np

from daemon_status import held_bytes
from jobs_under_test import slow_input
from process_table import open_descriptors
from raw_client import RawClient, memfd_of, submit_request
from slab_harness import DaemonTestCase
from waiting import wait_until

TIMES = 20
POOL = 10  # descriptors of a few more idle movers, which the daemon may keep; a leak would be TIMES or more


class VanishingClients(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(test_kernels=True, workers=2)
        self.slabd = self.daemon.connect()
        wait_until(lambda: len(self.daemon.worker_pids()) == 2, "both workers")
        self.input = slow_input(tiles=16)
        self.memfd = memfd_of(self.input)
        self.addCleanup(os.close, self.memfd)

    def slow(self, milliseconds=20, **more):
        return submit_request("test_slow", self.input, tile_bytes=4096, linked=True,
                              parameters={"milliseconds": milliseconds}, **more)

    def assert_nothing_leaks(self, vanish):
        """vanish() opens a client and ends it in some state. Descriptors, extents and workers come back to what they
        were."""
        vanish()  # once before the measurement: what is opened once and kept is no leak
        self.wait_until_quiet()
        descriptors = open_descriptors(self.daemon.pid)
        workers = self.daemon.worker_pids()

        for _ in range(TIMES):
            vanish()

        self.wait_until_quiet()
        wait_until(lambda: open_descriptors(self.daemon.pid) <= descriptors + POOL,
                   f"the supervisor has {descriptors} descriptors again, as before, or a few more")
        self.assertEqual(self.daemon.worker_pids(), workers)
        result = self.slabd.run("test_slow", self.input, milliseconds=0)
        np.testing.assert_array_equal(result, self.input)

    def wait_until_quiet(self):
        wait_until(lambda: not self.slabd.jobs() and held_bytes(self.slabd.status()) == 0,
                   "no job lives and nothing is held")

    def test_before_hello(self):
        self.assert_nothing_leaks(lambda: RawClient(self.daemon, greeted=False).close())

    def test_after_hello(self):
        self.assert_nothing_leaks(lambda: RawClient(self.daemon).close())

    def test_with_descriptors_sent_and_the_answer_never_read(self):
        def vanish():
            with RawClient(self.daemon) as client:
                client.send(self.slow(), [self.memfd])
        self.assert_nothing_leaks(vanish)

    def test_while_its_job_runs(self):
        def vanish():
            with RawClient(self.daemon) as client:
                job = client.ask(self.slow(), [self.memfd])["job"]
                wait_until(lambda: client.ask({"request": "show", "tag": 2, "job": job["id"]})["job"]["tiles_done"] > 0,
                           "the job runs")
        self.assert_nothing_leaks(vanish)

    def test_while_it_watches_and_never_reads(self):
        def vanish():
            with RawClient(self.daemon) as client:
                client.send(self.slow(watch=True), [self.memfd])
                wait_until(lambda: self.slabd.jobs(), "the job is known")
        self.assert_nothing_leaks(vanish)

    def test_with_a_result_that_is_kept_for_it_alone(self):
        """What slab.run() of Python does, killed before it drops the result: linked, and `keep` not asked for."""
        def vanish():
            with RawClient(self.daemon) as client:
                request = self.slow(milliseconds=0)
                del request["keep"]
                job = client.ask(request, [self.memfd])["job"]
                wait_until(lambda: client.ask({"request": "show", "tag": 2, "job": job["id"]})["job"]["outcome"],
                           "the job is done")
        self.assert_nothing_leaks(vanish)

    def test_with_a_job_that_writes_a_file(self):
        def vanish():
            with RawClient(self.daemon) as client, open(self.directory / "out.raw", "wb") as file:
                request = self.slow(output={"descriptor": 1, "offset": 0})
                del request["keep"]
                client.ask(request, [self.memfd, file.fileno()])
        self.assert_nothing_leaks(vanish)

    def test_with_an_attached_descriptor_on_its_way(self):
        kept = self.slabd.submit("test_slow", self.input, milliseconds=0)
        kept.wait()

        def vanish():
            with RawClient(self.daemon) as client:
                client.send({"request": "attach", "tag": 3, "job": kept.id})
        for _ in range(TIMES):
            vanish()
        kept.drop()

        self.assert_nothing_leaks(vanish)

    def test_with_ten_requests_at_once_and_no_answer_read(self):
        def vanish():
            with RawClient(self.daemon) as client:
                for _ in range(10):
                    client.send({"request": "status", "tag": 4})
        self.assert_nothing_leaks(vanish)

    def test_a_job_that_is_not_linked_lives_on(self):
        with RawClient(self.daemon) as client:
            job = client.ask(dict(self.slow(milliseconds=2), linked=False), [self.memfd])["job"]

        wait_until(lambda: self.slabd.request("show", job=job["id"])[0]["job"]["outcome"] == "done",
                   "the job is done without its client")
        np.testing.assert_array_equal(self.slabd.attach(job["id"]), self.input)
        self.slabd.request("drop", job=job["id"])


if __name__ == "__main__":
    unittest.main()
