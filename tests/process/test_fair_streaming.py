"""Two jobs that stream and a small one together. Runs alone: it measures how long the small one takes."""

import os
import signal
import statistics
import threading
import time
import unittest

import numpy as np

from daemon_status import held_bytes
from hand_loops import checkered, zoomed_by_round
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE
from waiting import wait_until

VOLUME = 64 << 20
LEASE_S = 0.003
# What a machine that others use adds to any measured time, whatever the daemon does.
NOISE_S = 0.030


ROWS = 112
AT_WORK = ("loading", "running")


def large():
    return checkered((ROWS, 401, 803), np.uint8)


class FairStreaming(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.daemon = self.start_daemon(volume="64MiB", workers=2)
        self.slabd = self.daemon.connect()
        self.small = checkered((16, 64, 64))

    def start_streaming(self, name):
        """290 MB of output through 24 MiB of the volume."""
        source = self.directory / f"{name}.npy"
        np.save(source, large())
        return self.daemon.start_slab("run", "zoom", source, "-o", self.directory / f"{name}.out.npy", "--factor", "2",
                                      "--convention", "round", "--max-memory", "24MiB", "--name", name, "--json")

    def start_watch(self):
        watch = Watch(self.daemon)
        self.addCleanup(watch.stop)
        return watch

    def small_s(self):
        start = time.monotonic()
        result = self.slabd.run("zoom", self.small, factor=2, convention="round")
        seconds = time.monotonic() - start
        self.assertEqual(result.shape, (32, 128, 128))
        return seconds

    def test_each_makes_progress_and_the_small_one_is_hardly_delayed(self):
        lone_s = statistics.median(self.small_s() for _ in range(50))
        watch = self.start_watch()
        streams, movers = {}, []
        for name in ("first", "second"):  # held still before their first load, so that they begin together
            self.daemon.arm("mover-before-load")
            streams[name] = self.start_streaming(name)
            movers.append(self.daemon.wait_stopped("mover-before-load"))
        wait_until(lambda: watch.running(streams) == set(streams), "both are at work")
        for mover in movers:
            os.kill(mover, signal.SIGCONT)

        beside_s = []
        while watch.running(streams) == set(streams):
            beside_s.append(self.small_s())

        for name, command in streams.items():
            self.assert_exit(command.finish(), EXIT_DONE)
            self.assertGreater(command.json()["bands"], 5, name)
        watch.stop()
        self.assertGreater(len(beside_s), 5, "small jobs ended while both streamed")
        self.assertLess(statistics.median(beside_s), 2 * lone_s + 2 * LEASE_S + NOISE_S,
                        f"alone it took {lone_s * 1e3:.2f} ms")
        for name in streams:
            self.assertGreater(watch.steps_beside_the_other(name), 2, f"{name} goes on beside the other")
        self.assertLessEqual(watch.most_held, VOLUME)
        self.assertGreater(watch.most_held, 0)
        expected = zoomed_by_round(large(), 2)
        for name in streams:
            np.testing.assert_array_equal(np.load(self.directory / f"{name}.out.npy", mmap_mode="r"), expected)
        self.daemon.wait_until_nothing_is_held()

    def test_what_three_streaming_jobs_hold_never_exceeds_the_volume(self):
        """There is room for two: the third waits in the queue, and all end right."""
        watch = self.start_watch()
        streams = [self.start_streaming(name) for name in ("first", "second", "third")]

        for command in streams:
            self.assert_exit(command.finish(), EXIT_DONE)

        watch.stop()
        self.assertLessEqual(watch.most_held, VOLUME)
        sizes = {os.path.getsize(self.directory / f"{name}.out.npy") for name in ("first", "second", "third")}
        self.assertEqual(sizes, {4096 + 2 * ROWS * 802 * 1606})


class Watch:
    """Asks a daemon over and over what it holds and how far its jobs are."""

    def __init__(self, daemon):
        self.connection = daemon.connect()
        self.seen = []  # {name: (state, bytes written)} of the named jobs that live
        self.most_held = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while not self.ended.wait(0.002):
            jobs = self.connection.jobs()
            self.seen.append({job["name"]: (job["state"], job["bands_done"]) for job in jobs if job["name"]})
            self.most_held = max(self.most_held, held_bytes(self.connection.status()))

    def stop(self):
        self.ended.set()
        self.thread.join()

    def running(self, names):
        """The jobs of these names that are at work now."""
        latest = self.seen[-1] if self.seen else {}
        return {name for name in names if latest.get(name, ("", 0))[0] in AT_WORK}

    def steps_beside_the_other(self, name):
        """How many values its bands_done had while both were at work."""
        return len({seen[name][1] for seen in self.seen
                    if len(seen) == 2 and all(state in AT_WORK for state, _ in seen.values())})


if __name__ == "__main__":
    unittest.main()
