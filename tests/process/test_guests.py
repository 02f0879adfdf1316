"""Guests of slab.map_tiles that are killed, whose client is killed, that keep no rules, and that want what is not theirs.
SLABD_SEEDS says how many seeds of random kills (10; 200 in the long test)."""

import contextlib
import json
import os
import random
import signal
import socket
import threading
import time
import unittest
import unittest.mock

import numpy as np

from build_tree import slab
from other_users import as_user, needs_root
from process_table import children_of, open_descriptors, process_state
from slab_harness import DaemonTestCase
from started_command import start_python
from waiting import wait_until
from slab.messages import receive_message, send_message

SEEDS = int(os.environ.get("SLABD_SEEDS", "10"))
MOST_KILLS = 2  # a third on one tile would rightly fail the job


def outer_with_pauses(tile, y, x, out):
    out[:] = y[tile.y, None] * x[tile.x]
    time.sleep(0.0003)  # so that the moments of the kills fall into many places


def vectors(rows=200, columns=300):
    random_numbers = np.random.default_rng(11)
    return random_numbers.random(rows), random_numbers.random(columns)


class Kills(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(workers=2)
        self.slabd = self.daemon.connect()

    def assert_nothing_is_left(self):
        wait_until(lambda: not children_of(os.getpid()) or
                   set(children_of(os.getpid())) <= {self.daemon.pid}, "every guest has ended")
        wait_until(lambda: self.slabd.status()["guests"]["held_bytes"] == 0, "no job holds memory")

    def kill_guests(self, rng, killed, over):
        for _ in range(rng.randint(1, MOST_KILLS)):
            wait_until(lambda: over.is_set() or self.guests(), "there are guests")
            time.sleep(rng.uniform(0, 0.03))  # the moment is what is random here; nothing waits for it
            guests = self.guests()
            if guests:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim := rng.choice(guests), signal.SIGKILL)
                    killed.append(victim)

    def guests(self):
        return [child for child in children_of(os.getpid()) if child != self.daemon.pid]

    def test_the_result_is_the_same_whenever_guests_die(self):
        y, x = vectors()
        kills = 0
        for seed in range(SEEDS):
            with self.subTest(seed=seed):
                rng, killed, over = random.Random(seed), [], threading.Event()
                killer = threading.Thread(target=self.kill_guests, args=(rng, killed, over))
                killer.start()
                result, record = self.slabd.map_tiles_and_tell(
                    outer_with_pauses, y, x, shape=(200, 300), dtype=float, tile=(7, 50), workers=rng.choice([1, 2, 5]))
                over.set()
                killer.join()

                np.testing.assert_array_equal(result, np.outer(y, x))
                self.assertLessEqual(record["workers_lost"], len(killed))
                self.assertEqual(record["tiles_done"], record["tiles"])
                kills += record["workers_lost"]
        self.assertGreater(kills, 0, "no kill fell into a job")
        self.assert_nothing_is_left()

    def test_the_same_when_the_output_streams_to_a_file(self):
        y, x = vectors(2000, 600)
        kills = 0
        for seed in range(max(1, SEEDS // 5)):
            with self.subTest(seed=seed):
                rng, killed, over = random.Random(seed), [], threading.Event()
                killer = threading.Thread(target=self.kill_guests, args=(rng, killed, over))
                killer.start()
                result, record = self.slabd.map_tiles_and_tell(
                    outer_with_pauses, y, x, shape=(2000, 600), dtype=float, tile=(10, 600), max_memory="4MiB",
                    out=self.directory / "out.npy", overwrite=True)
                over.set()
                killer.join()
                np.testing.assert_array_equal(result, np.outer(y, x))
                self.assertGreater(record["bands"], 1)
                kills += record["workers_lost"]
        self.assertGreater(kills, 0, "no kill fell into a job")
        self.assert_nothing_is_left()

    def test_a_mover_that_dies_while_the_output_streams_is_replaced(self):
        y, x = vectors(2000, 600)

        def kills_the_mover_once(tile, y, x, out):
            outer_with_pauses(tile, y, x, out)
            if tile.band == 1 and tile.index == 0:
                with contextlib.suppress(FileExistsError):
                    (self.directory / "killed").touch(exist_ok=False)
                    for mover in self.daemon.processes("mover [0-9]+").values():
                        os.kill(mover, signal.SIGKILL)
        result, record = self.slabd.map_tiles_and_tell(
            kills_the_mover_once, y, x, shape=(2000, 600), dtype=float, tile=(10, 600), max_memory="4MiB",
            out=self.directory / "out.npy")
        np.testing.assert_array_equal(result, np.outer(y, x))
        self.assertIn("died", self.daemon.log_text())
        self.assertGreater(record["bands"], 2)

    def test_a_death_costs_its_tiles_a_second_try_and_two_do_not_fail_the_job(self):
        def dies_twice(tile, out):
            if tile.index == 6:
                for attempt in range(2):
                    with contextlib.suppress(FileExistsError):
                        (self.directory / f"attempt-{attempt}").touch(exist_ok=False)
                        os.kill(os.getpid(), signal.SIGKILL)
            out[:] = tile.index
        result, record = self.slabd.map_tiles_and_tell(dies_twice, shape=(20, 5), dtype=int, tile=(1, 5))

        np.testing.assert_array_equal(result, np.arange(20)[:, None].repeat(5, axis=1))
        self.assertEqual(record["workers_lost"], 2)
        self.assertGreaterEqual(record["tiles_repeated"], 2)
        self.assertEqual(record["tiles_done"], 20)

    def test_all_guests_at_once_are_replaced(self):
        y, x = vectors()

        def all_die_once(tile, y, x, out):
            if tile.index == 20:
                with contextlib.suppress(FileExistsError):
                    (self.directory / "died").touch(exist_ok=False)
                    for guest in children_of(os.getppid()):
                        if guest not in (os.getpid(), daemon):
                            os.kill(guest, signal.SIGKILL)
                    os.kill(os.getpid(), signal.SIGKILL)
            outer_with_pauses(tile, y, x, out)
        daemon = self.daemon.pid
        result, record = self.slabd.map_tiles_and_tell(all_die_once, y, x, shape=(200, 300), dtype=float, tile=(5, 300),
                                                       workers=3)
        np.testing.assert_array_equal(result, np.outer(y, x))
        self.assertEqual(record["workers_lost"], 3)

    def test_when_the_client_is_killed_guests_end_and_the_memory_is_free(self):
        client = start_python(
            "import sys, time, slab\n"
            "def slow(tile, out):\n"
            "    print('at work', flush=True)\n"
            "    time.sleep(600)\n"
            "slab.map_tiles(slow, shape=(100, 100), dtype=float, tile=1, workers=3)\n", socket=self.daemon.socket)
        guests = wait_until(lambda: len(children_of(client.pid)) == 3 and
                            self.slabd.status()["guests"]["held_bytes"] and children_of(client.pid), "three guests")

        client.kill()

        wait_until(lambda: all(process_state(guest) is None for guest in guests), "the guests end")
        wait_until(lambda: self.slabd.status()["guests"]["count"] == 0, "the daemon has seen it")
        wait_until(lambda: self.slabd.status()["guests"]["lingering_bytes"] == 0, "nobody has it")
        self.daemon.slab("trim")
        status = self.slabd.status()["guests"]
        self.assertEqual((status["held_bytes"], status["idle_bytes"]), (0, 0))
        self.assertEqual(self.slabd.jobs(all=True)[-1]["outcome"], "cancelled")

    def test_when_the_daemon_is_killed_the_call_says_so_and_no_guest_is_left(self):
        def kills_the_daemon(tile, out):
            os.kill(daemon, signal.SIGKILL)
            time.sleep(600)
        daemon = self.daemon.pid
        with self.assertRaises(slab.Interrupted):
            self.slabd.map_tiles(kills_the_daemon, shape=(10, 10), dtype=float)
        self.assertEqual(self.guests(), [])

    def test_ctrl_c_while_a_guest_is_forked_leaves_nobody_unwaited_for(self):
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        fork, forked = os.fork, []

        def fork_and_interrupt():
            child = fork()
            if child != 0:
                forked.append(child)
                signal.raise_signal(signal.SIGINT)
            return child

        with unittest.mock.patch("os.fork", fork_and_interrupt), self.assertRaises(KeyboardInterrupt):
            self.slabd.map_tiles(outer_with_pauses, *vectors(), shape=(200, 300), dtype="f8")

        self.assertTrue(forked)
        self.assertEqual([process_state(child) for child in forked], [None] * len(forked))
        self.assert_nothing_is_left()

    def test_ctrl_c_cancels_the_job_and_leaves_no_guest(self):
        # Ignored in what a shell runs in the background.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)

        def interrupts(tile, out):
            os.kill(os.getppid(), signal.SIGINT)
            time.sleep(600)
        with self.assertRaises(KeyboardInterrupt):
            self.slabd.map_tiles(interrupts, shape=(10, 10), dtype=float)
        self.assertEqual(self.slabd.jobs(all=True)[-1]["outcome"], "cancelled")
        self.assert_nothing_is_left()


class Garbage(DaemonTestCase):
    """Guests whose packets are made by the test."""

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


BURGLAR = """
import json, mmap, os, socket, sys, slab
import numpy as np
secret_job, path, daemon = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
attached = slab.attach(secret_job)     # what this user may see: a read-only view of one result
found = []

def attempt(what, act):
    try:
        found.append([what, repr(act())[:80]])
    except (OSError, ValueError, slab.SlabError) as error:
        found.append([what, None])

def burgle(tile, out):
    out[:] = 1
    for name in sorted(os.listdir('/proc/self/fd'), key=int):
        number = int(name)
        try:
            target = os.readlink('/proc/self/fd/' + name)
        except OSError:
            continue
        if target.startswith(('/dev/shm', '/memfd')):
            attempt('a descriptor of ' + target, lambda: target)
        attempt('mapping ' + target, lambda: len(mmap.mmap(number, 4096, access=mmap.ACCESS_READ)))
        if '/dev/shm' in target or 'memfd' in target:
            attempt('writing ' + target, lambda: os.pwrite(number, b'x', 0))
    for name in os.listdir('/dev/shm'):
        for flags in (os.O_RDONLY, os.O_RDWR):
            if name.startswith('slabd.test'):
                attempt('/dev/shm/' + name, lambda: os.open('/dev/shm/' + name, flags))
    attempt('the descriptors of the daemon', lambda: os.listdir(f'/proc/{daemon}/fd'))
    attempt('the memory of the daemon', lambda: os.open(f'/proc/{daemon}/mem', os.O_RDONLY))
    for name in os.listdir('/proc/self/map_files') if os.access('/proc/self/map_files', os.R_OK) else []:
        target = os.readlink('/proc/self/map_files/' + name)
        if 'slabd' in target:
            attempt('/proc/self/map_files of ' + target, lambda: os.open('/proc/self/map_files/' + name, os.O_RDWR))
    def write_attached():
        attached.flags.writeable = True
    attempt('writing what is attached', write_attached)
    volume = sum(int(ends[1], 16) - int(ends[0], 16) for ends in
                 (line.split()[0].split('-') for line in open('/proc/self/maps') if '/dev/shm/slabd' in line))
    found.append(['bytes of the volume that are mapped', volume])
    with slab.Connection() as connection:
        for job in range(1, 20):
            attempt(f'guests of job {job}', lambda: job != int(os.environ['OWN']) and
                    connection.request('guests', job=job) or (_ for _ in ()).throw(OSError()))
    with open(path, 'w') as file:
        json.dump(found, file)

os.environ['OWN'] = str(len(slab.jobs(all=True)) + 1)
slab.map_tiles(burgle, shape=(10, 10), dtype=float, workers=1, tile=10)
print(attached.sum())
"""


@needs_root
class AnotherUser(DaemonTestCase):
    def test_a_guest_has_nothing_but_what_it_was_given(self):
        daemon = self.start_daemon(workers=2, socket_mode="0666")
        connection = daemon.connect()
        kept = connection.submit("zoom", np.ones(1000), factor=2, convention="floor")
        secret = connection.submit("zoom", np.full(100_000, 42.0), factor=2, convention="floor")
        kept.wait()
        secret.wait()
        with contextlib.ExitStack() as going:
            root = going.enter_context(slab.Connection(daemon.socket))
            of_root = root.request("submit", guests={"dtype": "<f8", "shape": [10]}, inputs=[], linked=True)[0]["job"]
            descriptors = root.request("guests", job=of_root["id"])[1]
            going.callback(lambda: [os.close(descriptor) for descriptor in descriptors])
            folder = self.directory / "theirs"
            folder.mkdir()
            os.chown(folder, 12345, 12345)

            program = start_python(BURGLAR, str(kept.id), str(folder / "found"), str(daemon.pid),
                                   prefix=as_user(12345), socket=daemon.socket).finish()

        self.assertEqual(program.code, 0, program.err)
        found = json.loads((folder / "found").read_text())
        tried = dict(found)
        self.assertLessEqual(tried.pop("bytes of the volume that are mapped"), 16384)  # the attached result's own pages
        got = {what: value for what, value in tried.items() if value is not None}
        self.assertEqual(got, {})
        for what in ("the memory of the daemon", "writing what is attached", f"guests of job {of_root['id']}"):
            self.assertIn(what, tried)
        self.assertTrue(any(what.startswith("/dev/shm/slabd.test") for what in tried))
        self.assertEqual(program.out.strip(), "2000.0")
        kept.drop()
        secret.drop()

    def test_memory_of_one_user_is_never_given_to_another(self):
        daemon = self.start_daemon(workers=2, socket_mode="0666", guest_memory="64MiB")
        connection = daemon.connect()
        connection.map_tiles(lambda tile, out: out.fill(42), shape=(1 << 20,), dtype=float)
        wait_until(lambda: connection.status()["guests"]["idle_bytes"] == 8 << 20, "it is kept warm for root")

        program = start_python(
            "import slab\n"
            "r = slab.map_tiles(lambda tile, out: None, shape=(1 << 20,), dtype=float)\n"  # leaves out as it is
            "print(r.any())\n", prefix=as_user(12345), socket=daemon.socket).finish()

        self.assertEqual((program.code, program.out.strip()), (0, "False"), program.err)
        self.assertEqual(connection.status()["guests"]["idle_bytes"], 16 << 20)


if __name__ == "__main__":
    unittest.main()
