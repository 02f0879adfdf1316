"""Guests whose packets are made by the test: what is no message of a guest, lies, hires that make no sense."""

import contextlib
import json
import os
import socket
import unittest

import numpy as np

from build_tree import slab
from process_table import open_descriptors
from slab_harness import DaemonTestCase
from waiting import wait_until
from slab.messages import receive_message, send_message


class Garbage(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(workers=1)
        self.slabd = self.daemon.connect()
        self.slabd.map_tiles(lambda tile, out: out.fill(0), shape=(10,), dtype=float)
        self.before = self.descriptors_but_movers()

    @contextlib.contextmanager
    def job(self, **more):
        connection = slab.Connection(self.daemon.socket)
        job = connection.request("submit", guests={"name": "raw", "dtype": "<f8", "shape": [100, 10], "tile": [1, 10]},
                                 inputs=[], linked=True, **more)[0]["job"]
        try:
            yield connection, job["id"]
        finally:
            connection.close()

    def hire(self, connection, job, count=1):
        facts, descriptors = connection.request("guests", job=job, count=count)
        os.close(descriptors[0])
        guests = [socket.socket(fileno=descriptor) for descriptor in descriptors[1:]]
        for guest in guests:
            self.addCleanup(guest.close)
            guest.settimeout(30)
        return facts, guests

    def test_what_is_no_message_of_a_guest_lets_it_go_and_gives_its_leases_to_others(self):
        def twice(lease):
            return [{"done": lease}, {"done": lease}]
        cases = [lambda lease: [b"\0"], lambda lease: [b"hello"], lambda lease: [b"[" * 1000], lambda lease: [{}],
                 lambda lease: [{"done": lease + 1}], lambda lease: [{"done": lease + 1000}], twice,
                 lambda lease: [{"done": -1}], lambda lease: [{"done": "x"}], lambda lease: [{"done": 2**63}],
                 lambda lease: [{"failed": lease + 1, "what": "x"}], lambda lease: [{"ready": True}],
                 lambda lease: [{"request": "attach", "job": 1, "tag": 1}],
                 lambda lease: [b'{"x":"' + b"y" * (129 * 1024) + b'"}']]
        for number, case in enumerate(cases):
            with self.subTest(case=number), self.job() as (connection, job):
                _, (bad, good) = self.hire(connection, job, 2)
                send_message(bad, {"ready": True})
                lease = receive_message(bad)[0]
                receive_message(bad)  # the second, so that only the end can come
                for packet in case(lease["lease"]):
                    with contextlib.suppress(ConnectionError):
                        bad.send(packet if isinstance(packet, bytes) else json.dumps(packet).encode())
                while (answer := self.end_or_lease(bad)) is not None:
                    self.assertIn("lease", answer)
                self.fill_all(good)
                self.assertEqual(self.slabd.request("show", job=job)[0]["job"]["outcome"], "done")
        self.assert_serves_on()

    @staticmethod
    def end_or_lease(guest):
        try:
            received = receive_message(guest)
        except ConnectionError:
            return None
        return received[0] if received else None

    def fill_all(self, guest):
        send_message(guest, {"ready": True})
        while (lease := self.end_or_lease(guest)) is not None:
            with contextlib.suppress(ConnectionError):
                send_message(guest, {"done": lease["lease"]})

    def test_a_lie_about_a_failure_has_bounds(self):
        with self.job(watch=True) as (connection, job):
            _, (guest,) = self.hire(connection, job)
            send_message(guest, {"ready": True})
            lease = receive_message(guest)[0]["lease"]
            send_message(guest, {"failed": lease, "what": "w" * 50_000, "because": "b" * 50_000, "remedy": [1]})
            self.assertIsNone(self.end_or_lease(guest) and self.end_or_lease(guest))
            error = self.slabd.request("show", job=job)[0]["job"]["error"]
            self.assertLess(len(json.dumps(error)), 12_000)
        self.assert_serves_on()

    def test_the_memory_cannot_be_shrunk_or_grown_under_the_mover(self):
        with self.job() as (connection, job):
            _, descriptors = connection.request("guests", job=job, count=1)
            try:
                for size in (0, 4096, 1 << 30):
                    with self.assertRaises(PermissionError):
                        os.ftruncate(descriptors[0], size)
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
        self.assert_serves_on()

    def test_requests_that_make_no_sense_are_refused(self):
        with self.job() as (connection, job):
            for content in ({"job": job + 1}, {"job": job, "count": 17}, {"job": job, "count": -1}):
                with self.assertRaises(slab.UsageError):
                    connection.request("guests", **content)
            with self.assertRaisesRegex(slab.Refused, "too many guests"):
                for _ in range(20):
                    self.hire(connection, job, 16)
        ordinary = self.slabd.submit("zoom", np.arange(10), factor=2, convention="floor")
        ordinary.wait()
        with self.assertRaisesRegex(slab.UsageError, "takes no guests"):
            self.slabd.request("guests", job=ordinary.id)
        ordinary.drop()
        for change in ({"linked": False}, {"keep": True}, {"guests": {"dtype": "<f8"}}, {"guests": {"dtype": ">f8", "shape": [3]}},
                       {"guests": {"dtype": "<f8", "shape": [3], "tile": [0]}},
                       {"guests": {"dtype": "<f8", "shape": [3], "tile": ["x"]}},
                       {"guests": {"dtype": "<f8", "shape": [3], "tile": [2**63]}},
                       {"guests": {"dtype": "<f8", "shape": [0]}}, {"guests": 3},
                       {"inputs": [{"dtype": "<f8", "shape": [3], "descriptor": 0, "offset": 0}]}):
            request = {"guests": {"dtype": "<f8", "shape": [3]}, "inputs": [], "linked": True, **change}
            with self.subTest(change=change), self.assertRaises(slab.UsageError):
                self.slabd.request("submit", **request)
        self.assert_serves_on()

    def test_guests_that_never_come_are_waited_for_until_the_client_goes(self):
        with self.job() as (connection, job):
            _, guests = self.hire(connection, job, 3)
            self.assertEqual(self.slabd.request("show", job=job)[0]["job"]["state"], "running")
        wait_until(lambda: self.slabd.request("show", job=job)[0]["job"]["outcome"] == "cancelled", "it is cancelled")
        for guest in guests:
            self.assertIsNone(self.end_or_lease(guest))
        self.assert_serves_on()

    def descriptors_but_movers(self):
        """Of idle movers the daemon keeps one or a few: each is a process, a socket and an io_uring of its own."""
        return open_descriptors(self.daemon.pid) - 3 * len(self.slabd.status()["movers"])

    def assert_serves_on(self):
        result = self.slabd.map_tiles(lambda tile, out: out.fill(tile.index), shape=(100, 10), dtype=float, tile=(1, 10))
        np.testing.assert_array_equal(result[:, 0], np.arange(100))
        del result
        wait_until(lambda: self.descriptors_but_movers() <= self.before + 2, "every descriptor is closed")
        wait_until(lambda: self.slabd.status()["guests"]["held_bytes"] == 0, "no job holds memory")


if __name__ == "__main__":
    unittest.main()
