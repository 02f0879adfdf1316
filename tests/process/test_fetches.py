"""A result that is being copied to a file stays where it is until the copy ends."""

import io
import os
import subprocess
import unittest

import numpy as np

from build_tree import SLAB
from raw_client import RawClient, memfd_of, submit_request
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE, EXIT_REFUSED
from waiting import wait_until

ROWS, COLUMNS = np.arange(1000.0), np.arange(700.0)  # 5.6 MB: more than a pipe takes


class Fetches(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(volume="32MiB")
        self.slabd = self.daemon.connect()

    def lend(self, client):
        """The id of a job whose result is kept for that client alone, until its connection ends."""
        memory = [memfd_of(array) for array in (ROWS, COLUMNS)]
        request = submit_request("outer", ROWS, linked=True)
        del request["keep"]
        request["inputs"] += submit_request("outer", COLUMNS, descriptor=1)["inputs"]
        job = client.ask(request, memory)["job"]["id"]
        for descriptor in memory:
            os.close(descriptor)
        wait_until(lambda: self.shown(job)["outcome"] == "done", "the result is there")
        return job

    def shown(self, job):
        return self.slabd.request("show", job=job)[0]["job"]

    def start_fetch(self, job):
        """A fetch to a pipe that nobody empties: it has begun when its first byte is there."""
        fetch = subprocess.Popen([str(SLAB), "fetch", str(job), "-o", "-"], stdout=subprocess.PIPE,
                                 env={**os.environ, "SLABD_SOCKET": self.daemon.socket})
        self.addCleanup(fetch.stdout.close)
        self.addCleanup(fetch.wait)
        self.addCleanup(fetch.kill)
        return fetch, fetch.stdout.read(1)

    def overwrite_what_is_free(self):
        for _ in range(5):
            self.slabd.run("outer", ROWS + 1, COLUMNS + 1)

    def assert_fetched(self, fetch, first):
        content = first + fetch.stdout.read()
        self.assertEqual(fetch.wait(timeout=30), EXIT_DONE)
        np.testing.assert_array_equal(np.load(io.BytesIO(content)), np.outer(ROWS, COLUMNS))

    def test_of_a_client_that_goes_meanwhile(self):
        with RawClient(self.daemon) as client:
            job = self.lend(client)
            fetch, first = self.start_fetch(job)
        self.slabd.status()  # by now the daemon has seen the other connection end

        self.overwrite_what_is_free()

        self.assert_fetched(fetch, first)
        self.daemon.wait_until_nothing_is_held()

    def test_is_not_dropped_by_its_owner(self):
        kept = self.slabd.submit("outer", ROWS, COLUMNS)
        kept.wait()
        fetch, first = self.start_fetch(kept.id)

        self.assert_exit(self.daemon.slab("drop", kept.id), EXIT_REFUSED)
        self.overwrite_what_is_free()

        self.assert_fetched(fetch, first)
        self.assert_exit(self.daemon.slab("drop", kept.id), EXIT_DONE)

    def test_a_fetch_whose_command_is_killed_leaves_the_result(self):
        kept = self.slabd.submit("outer", ROWS, COLUMNS)
        kept.wait()
        for _ in range(3):
            fetch, _ = self.start_fetch(kept.id)
            fetch.kill()
            fetch.stdout.close()
            wait_until(lambda: self.daemon.slab("fetch", kept.id, "-o", self.directory / "copy.npy",
                                                "--overwrite").code == EXIT_DONE, "it can be fetched again")

        np.testing.assert_array_equal(np.load(self.directory / "copy.npy"), np.outer(ROWS, COLUMNS))
        np.testing.assert_array_equal(self.slabd.attach(kept.id), np.outer(ROWS, COLUMNS))
        kept.drop()
        self.daemon.wait_until_nothing_is_held()


if __name__ == "__main__":
    unittest.main()
