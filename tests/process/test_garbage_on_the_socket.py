"""Whatever bytes and descriptors come in, the daemon answers with an error or closes, leaks nothing, and serves on."""

import contextlib
import errno
import json
import os
import random
import unittest

import numpy as np

from jobs_under_test import slow_input
from process_table import open_descriptors
from raw_client import RawClient, memfd_of, submit_request
from slab_harness import DaemonTestCase
from waiting import wait_until

HUGE = 128 * 1024


class Garbage(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(workers=1)
        self.slabd = self.daemon.connect()
        for _ in range(2):  # what is opened for the first job and kept is no leak
            self.slabd.run("zoom", np.arange(100), factor=2, convention="floor")
        self.descriptors = open_descriptors(self.daemon.pid)

    def assert_serves_on(self):
        array = np.arange(100)
        np.testing.assert_array_equal(self.slabd.run("zoom", array, factor=2, convention="floor"), array.repeat(2))
        wait_until(lambda: open_descriptors(self.daemon.pid) <= self.descriptors, "every descriptor is closed")
        self.daemon.wait_until_nothing_is_held()

    def assert_turned_away(self, packet, descriptors=(), greeted=True):
        """An error answer and then the end of the connection, or the end at once."""
        with RawClient(self.daemon, greeted) as client:
            client.send(packet, descriptors)
            answer = client.receive()
            if answer is not None:
                self.assertIn("error", answer)
                self.assertTrue(answer["error"]["what"])
                self.assertIsNone(client.receive(), "the connection stays open")

    def test_packets_that_are_no_object_are_turned_away(self):
        for packet in (b"\0", b"\xff\xfe\x80", b"hello", b"[1,2]", b"3", b'"text"', b"null", b"{", b'{"request":',
                       b"[" * 100_000, b'{"a":' * 20_000, b'{"request":"hello","protocol":1}trailing'):
            with self.subTest(packet=packet[:40]):
                self.assert_turned_away(packet)
                self.assert_turned_away(packet, greeted=False)
        self.assert_serves_on()

    def test_every_half_of_a_message_is_turned_away(self):
        whole = json.dumps({"request": "show", "tag": 1, "job": 1}).encode()
        for length in range(1, len(whole)):
            self.assert_turned_away(whole[:length])
        self.assert_serves_on()

    def test_a_packet_above_the_limit_is_turned_away(self):
        packet = json.dumps({"request": "status", "tag": "x" * HUGE}).encode()

        self.assert_turned_away(packet)

        self.assert_serves_on()

    def test_an_empty_packet_ends_the_connection_and_no_other(self):
        with RawClient(self.daemon) as client:
            client.send(b"")

            self.assertIsNone(client.receive())

        self.assert_serves_on()

    def test_more_descriptors_than_the_limit_are_closed(self):
        memfd = memfd_of(np.arange(10))
        self.addCleanup(os.close, memfd)

        for count in (19, 100, 253):
            with self.subTest(count=count):
                self.assert_turned_away({"request": "status", "tag": 1}, [memfd] * count)

        self.assert_serves_on()

    def test_descriptors_that_no_request_asked_for_are_closed(self):
        memfd = memfd_of(np.arange(10))
        self.addCleanup(os.close, memfd)

        with RawClient(self.daemon) as client:
            for _ in range(50):
                client.ask({"request": "status", "tag": 1}, [memfd] * 16)

            wait_until(lambda: open_descriptors(self.daemon.pid) <= self.descriptors + 1,
                       "the descriptors are closed while the client lives")

        self.assert_serves_on()

    def test_a_message_memfd_that_can_still_shrink_is_not_read(self):
        content = json.dumps({"request": "status", "tag": 1}).encode()
        memfd = os.memfd_create("unsealed")
        self.addCleanup(os.close, memfd)
        os.write(memfd, content)

        self.assert_turned_away({"in_descriptor": len(content)}, [memfd])

        self.assert_serves_on()

    def test_a_message_memfd_that_lies_about_its_size_is_turned_away(self):
        memfd = memfd_of(np.zeros(8, np.uint8))
        self.addCleanup(os.close, memfd)
        for claimed in (9, 2**40, -1, "8", None, 2**63):
            with self.subTest(claimed=claimed):
                self.assert_turned_away({"in_descriptor": claimed}, [memfd])
        self.assert_turned_away({"in_descriptor": 8})
        self.assert_serves_on()

    def test_a_request_before_hello_is_an_error(self):
        with RawClient(self.daemon, greeted=False) as client:
            answer = client.ask({"request": "status", "tag": 5})

            self.assertIn("error", answer or {"error": "closed"})
        self.assert_serves_on()

    def test_another_protocol_version_is_an_error_that_says_so(self):
        with RawClient(self.daemon, greeted=False) as client:
            answer = client.ask({"request": "hello", "protocol": 999, "client": "x", "tag": 5})

            self.assertIn("error", answer)
            self.assertRegex(json.dumps(answer["error"]), "999")

    def test_an_unknown_request_is_an_error_and_the_connection_lives_on(self):
        with RawClient(self.daemon) as client:
            self.assertEqual(client.ask({"request": "make-coffee", "tag": [1, "a"]})["tag"], [1, "a"])
            self.assertIn("answer", client.ask({"request": "status", "tag": 6}))

    def test_values_of_wrong_types_are_errors_and_the_connection_lives_on(self):
        array = slow_input(tiles=1)
        memfd = memfd_of(array)
        self.addCleanup(os.close, memfd)
        good = submit_request("zoom", array, parameters={"factor": 2, "convention": "round"})
        wrong = [{"kernel": 7}, {"kernel": None}, {"inputs": {}}, {"inputs": 3}, {"inputs": []}, {"inputs": [None]},
                 {"parameters": []}, {"parameters": {"factor": {"x": 1}}}, {"parameters": {"factor": [[2]]}},
                 {"priority": "high"}, {"priority": 1e300}, {"output": 5}, {"output": {"descriptor": 99, "offset": 0}},
                 {"output": {"descriptor": 0, "offset": -4096}}, {"max_memory": "lots"}, {"tile_bytes": -1},
                 {"tile_bytes": "0"}]
        array_keys = [{"dtype": "O"}, {"dtype": "<f16"}, {"dtype": 3}, {"shape": [-1, 4]}, {"shape": [2**62, 2**62]},
                      {"shape": [1] * 6}, {"shape": "4"}, {"shape": [4.5]}, {"order": "X"}, {"descriptor": 1},
                      {"descriptor": -1}, {"descriptor": 2**31}, {"offset": -8}, {"offset": 2**62}, {"offset": 8},
                      {"descriptor": None}]
        requests = [{**good, **change} for change in wrong]
        requests += [{**good, "inputs": [{**good["inputs"][0], **change}]} for change in array_keys]
        with RawClient(self.daemon) as client:
            for request in requests:
                with self.subTest(request={k: v for k, v in request.items() if good.get(k) != v}):
                    answer = client.ask(request, [memfd])

                    self.assertIn("error", answer)
                    self.assertIn(answer["error"]["kind"], ("usage", "refused"))
            for request in ("show", "watch", "cancel", "attach", "drop", "fetch"):
                for job in (None, "x", -1, 2**63, 1e300, [], 10**9):
                    with self.subTest(request=request, job=job):
                        self.assertIn("error", client.ask({"request": request, "tag": 1, "job": job}))
        self.assert_serves_on()

    def test_inputs_that_are_no_regular_files_are_refused(self):
        array = slow_input(tiles=1)
        pipe, pipe_end = os.pipe()
        directory = os.open("/", os.O_RDONLY)
        null = os.open("/dev/zero", os.O_RDONLY)
        for descriptor in (pipe, directory, null):
            self.addCleanup(os.close, descriptor)
        self.addCleanup(os.close, pipe_end)
        with RawClient(self.daemon) as client:
            for descriptor in (pipe, directory, null, client.socket.fileno()):
                answer = client.ask(submit_request("zoom", array, parameters={"factor": 2, "convention": "round"}),
                                    [descriptor])

                self.assertIn("error", answer)
        self.assert_serves_on()

    def test_random_packets_do_not_stop_the_daemon(self):
        rng = random.Random(42)
        whole = json.dumps(submit_request("zoom", slow_input(1), parameters={"factor": 2})).encode()
        for _ in range(300):
            packet = bytearray(whole)
            for _ in range(rng.randint(1, 6)):
                packet[rng.randrange(len(packet))] = rng.randrange(256)
            with RawClient(self.daemon) as client, contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.send(bytes(packet[:rng.randint(1, len(packet))]))
        self.assert_serves_on()

    def test_many_connections_at_once_are_served_or_refused_and_then_forgotten(self):
        clients = []
        try:
            for _ in range(200):
                clients.append(RawClient(self.daemon, greeted=False))
        except OSError as error:
            self.assertIn(error.errno, (errno.ECONNREFUSED, errno.EAGAIN, errno.EMFILE))
        for client in clients:
            client.close()

        self.assert_serves_on()


if __name__ == "__main__":
    unittest.main()
