"""Power loss, simulated: every state of output and journal that the recorded writes and syncs allow tells the truth."""

import functools
import io
import random
import shutil
import time
import unittest

import numpy as np

import write_replay
from hand_loops import checkered, zoomed_by_round
from journal_reading import jobs_of
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE

REAL_STARTS = 20


@functools.cache
def is_header(head):
    """numpy takes seconds to refuse a torn one: each is tried once."""
    try:
        file = io.BytesIO(head)
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
    except (ValueError, EOFError, OSError):
        return False
    return True


def parsed(content):
    """The array that numpy.load sees, or None when it sees none."""
    if not is_header(content[:4096]):
        return None
    try:
        return np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError):
        return None


class PowerLoss(DaemonTestCase):
    def setUp(self):
        super().setUp()
        self.recordings = self.directory / "test-recordings"
        self.recordings.mkdir()
        self.daemon = self.start_daemon(test_kernels=True, tile_bytes="64kB",
                                        environment={"SLABD_RECORD_DIR": str(self.recordings)})
        array = checkered((96, 48, 64))
        self.input, self.output = self.directory / "in.npy", self.directory / "out.npy"
        np.save(self.input, array)
        self.expected = zoomed_by_round(array, 2)

    def submit(self, *more):
        """Submits and waits. Returns (submission acknowledged, end acknowledged), monotonic ns."""
        command = self.daemon.slab("submit", "zoom", self.input, "-o", self.output, "--factor", 2, "--convention",
                                   "round", *more)
        self.assert_exit(command, EXIT_DONE)
        submitted = time.monotonic_ns()
        self.assert_exit(self.daemon.slab("wait", 1), EXIT_DONE)
        return submitted, time.monotonic_ns()

    def lose_power(self):
        """What is in memory is gone."""
        self.daemon.kill()
        for path in self.daemon.shared_memory():
            path.unlink()
        return write_replay.read_recordings(self.recordings)

    def is_complete(self, content):
        found = parsed(content)
        return found is not None and found.dtype == self.expected.dtype and np.array_equal(found, self.expected)

    def journal_states(self, events, subsets=10):
        return list(write_replay.power_loss_states_of_name(events, write_replay.file_id(self.daemon.journal), "journal",
                                                           subsets=subsets))

    def reserved(self):
        """What the file may be before its first write: empty, or of its full length already."""
        return b"", bytes(self.output.stat().st_size)

    def assert_every_state_is_true(self, events, submitted, ended):
        file = write_replay.file_id(self.output)
        count = 0
        for initial in self.reserved():
            for state in write_replay.power_loss_states(events, file, initial):
                count += 1
                if parsed(state.content) is not None or state.time_ns >= ended:
                    self.assertTrue(self.is_complete(state.content), f"a file that parses and is wrong: {state.how}")
        self.assertGreater(count, 50)
        said_done = []
        states = self.journal_states(events)
        self.assertGreater(len(states), 30)
        for state in states:
            told = jobs_of(state.content)
            self.assertIn(told, ({}, {1: "submitted"}, {1: "interrupted"}, {1: "done"}), state.how)
            if state.time_ns >= submitted:
                self.assertIn(1, told, f"a submission that was acknowledged is lost: {state.how}")
            if state.time_ns >= ended:
                self.assertEqual(told[1], "done", f"an end that was acknowledged is lost: {state.how}")
            if told.get(1) == "done":
                said_done.append(state.time_ns)
        # The journal at the first time at which it can say done, with each state of the file at that same time; what a
        # file can be only becomes less when it is not written any more.
        for initial in self.reserved():
            for state in write_replay.power_loss_states_at(events, file, min(said_done), initial):
                self.assertTrue(self.is_complete(state.content), f"done, and the file is not complete: {state.how}")
        self.assertLess(max(event.time_ns for event in events if event.file == file), min(said_done))

    def test_a_streaming_job(self):
        submitted, ended = self.submit("--max-memory", "2.2MB")
        record = self.daemon.connect().request("show", job=1)[0]["job"]
        self.assertGreaterEqual(record["bands"], 3)
        self.assert_every_state_is_true(self.lose_power(), submitted, ended)

    def test_a_job_of_one_band(self):
        submitted, ended = self.submit()
        self.assert_every_state_is_true(self.lose_power(), submitted, ended)

    def test_a_streaming_job_whose_supervisor_was_killed_too(self):
        self.daemon.arm("mover-before-flush")
        command = self.daemon.slab("submit", "zoom", self.input, "-o", self.output, "--factor", 2, "--convention",
                                   "round", "--max-memory", "2.2MB")
        submitted = time.monotonic_ns()
        self.assert_exit(command, EXIT_DONE)
        self.daemon.wait_stopped("mover-before-flush")
        self.daemon.kill()
        self.daemon.start()
        self.assert_exit(self.daemon.slab("resume", 1), EXIT_DONE)
        ended = time.monotonic_ns()

        self.assert_every_state_is_true(self.lose_power(), submitted, ended)

    def test_real_daemons_start_from_what_is_left(self):
        submitted, ended = self.submit("--max-memory", "2.2MB")
        events = self.lose_power()
        self.daemon._environment = {}
        file = write_replay.file_id(self.output)
        chance = random.Random(7)
        states = self.journal_states(events)
        for state in chance.sample(states, min(REAL_STARTS, len(states))):
            files = [found.content for initial in self.reserved()
                     for found in write_replay.power_loss_states_at(events, file, state.time_ns, initial)]
            with self.subTest(journal=state.how, told=jobs_of(state.content)):
                self.restore(state.content, chance.choice(files))

                self.daemon.start()

                jobs = {job["id"]: job for job in self.daemon.connect().jobs(all=True)}
                self.assertEqual(set(jobs), set(jobs_of(state.content)))
                for job in jobs.values():
                    if job["state"] == "interrupted":
                        self.assertFalse(state.time_ns >= ended)
                        self.assert_exit(self.daemon.slab("resume", job["id"]), EXIT_DONE)
                    else:
                        self.assertEqual(job["outcome"], "done")
                    self.assertTrue(self.is_complete(self.output.read_bytes()))
                self.daemon.kill()
                for path in self.daemon.shared_memory():
                    path.unlink()
        self.daemon.start()

    def restore(self, journal, output):
        shutil.rmtree(self.daemon.journal)
        self.daemon.journal.mkdir()
        if journal is not None:
            (self.daemon.journal / "journal").write_bytes(journal)
        self.output.write_bytes(output)  # the same inode


if __name__ == "__main__":
    unittest.main()
