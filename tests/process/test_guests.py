"""Guests of slab.map_tiles that are killed, and guests whose client or daemon is.
SLABD_SEEDS says how many seeds of random kills (10; 200 in the long test)."""

import contextlib
import os
import random
import signal
import threading
import time
import unittest
import unittest.mock

import numpy as np

from build_tree import slab
from process_table import children_of, process_state
from slab_harness import DaemonTestCase
from started_command import start_python
from waiting import wait_until

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


if __name__ == "__main__":
    unittest.main()
