"""The replay of recorded writes, on recordings made by hand, and on those of a real journal."""

import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

import write_replay
from journal_reading import records_of
from write_replay import RENAME, SYNC, TRUNCATE, WRITE, Event

FILE, FOLDER = (1, 10), (1, 2)
JOURNAL_TESTS = pathlib.Path(os.environ.get("SLABD_BUILD", "build")) / "tests/part/daemon/journal_tests"


def write(time, offset, data, file=FILE):
    return Event(time, WRITE, file, offset, len(data), data=data)


def sync(time, begun, file=FILE):
    return Event(time, SYNC, file, offset=begun)


def contents(events, **options):
    return [state.content for state in write_replay.power_loss_states(events, FILE, **options)]


class SmallRecordings(unittest.TestCase):
    def test_without_a_sync_every_subset_of_few_writes_is_possible(self):
        found = contents([write(1, 0, b"a"), write(2, 1, b"b"), write(3, 2, b"c")], subsets=200)
        self.assertEqual(set(found), {b"", b"a", b"ab", b"abc", b"\0b", b"\0\0c", b"a\0c", b"\0bc"})

    def test_each_content_is_told_once_between_syncs(self):
        found = contents([write(1, 0, b"a"), write(2, 1, b"b")], subsets=200)
        self.assertEqual(len(found), len(set(found)))

    def test_what_was_written_before_a_completed_sync_is_always_there_afterwards(self):
        events = [write(1, 0, b"a"), sync(5, 2), write(6, 1, b"b")]
        later = [s.content for s in write_replay.power_loss_states(events, FILE) if s.time_ns >= 5]
        self.assertEqual(set(later), {b"a", b"ab"})

    def test_a_sync_does_not_vouch_for_what_was_written_after_it_was_begun(self):
        events = [write(1, 0, b"a"), write(3, 1, b"b"), sync(5, 2)]
        later = [s.content for s in write_replay.power_loss_states(events, FILE) if s.time_ns >= 5]
        self.assertEqual(set(later), {b"a", b"ab"})

    def test_the_last_write_is_torn_at_the_sectors_of_the_file(self):
        found = contents([write(1, 500, b"x" * 600)], initial=b"i" * 500)
        self.assertIn(b"i" * 500 + b"x" * 12, found)
        self.assertIn(b"i" * 500 + b"x" * 524, found)
        self.assertIn(b"i" * 500 + b"x" * 12 + bytes(588), found)
        self.assertEqual(len(found), 6)

    def test_a_truncate_may_be_lost_or_last(self):
        found = contents([Event(1, TRUNCATE, FILE, length=2), write(2, 2, b"z")], initial=b"abcd", subsets=100)
        self.assertEqual(set(found), {b"abcd", b"ab", b"abz", b"abzd"})

    def test_the_same_seed_gives_the_same_states(self):
        events = [write(i, i, b"x") for i in range(20)]
        self.assertEqual(contents(events, seed=4), contents(events, seed=4))
        self.assertNotEqual(contents(events, seed=4), contents(events, seed=5))

    def test_a_frame_cut_short_is_left_out(self):
        whole = struct.pack("=QIIQQqq", 7, WRITE, 0, 1, 10, 3, 4) + b"data"
        self.assertEqual(write_replay.parse_recording(whole + whole[:-1]),
                         [Event(7, WRITE, FILE, 3, 4, data=b"data")])

    def test_a_name_may_mean_the_old_file_until_its_folder_is_synced(self):
        new = (1, 11)
        events = [write(1, 0, b"new", new), sync(3, 2, new), Event(4, RENAME, FOLDER, offset=11, name="n\0journal"),
                  sync(6, 5, FOLDER)]
        states = list(write_replay.power_loss_states_of_name(events, FOLDER, "journal", FILE, b"old"))
        self.assertEqual({s.content for s in states if s.time_ns < 4}, set())  # nothing of this name has changed
        self.assertEqual({s.content for s in states if s.time_ns == 4}, {b"old", b"new"})
        self.assertEqual({s.content for s in states if s.time_ns == 6}, {b"new"})

    def test_a_rename_before_the_new_file_is_synced_shows_an_empty_file(self):
        new = (1, 11)
        events = [write(1, 0, b"new", new), Event(4, RENAME, FOLDER, offset=11, name="n\0journal"), sync(6, 5, FOLDER)]
        states = write_replay.power_loss_states_of_name(events, FOLDER, "journal", FILE, b"old")
        self.assertIn(b"", {s.content for s in states if s.time_ns == 6})


class RealJournal(unittest.TestCase):
    def test_what_a_journal_has_confirmed_survives_every_power_loss(self):
        """The program prints the records that it then holds after each call that succeeded, with the time."""
        with tempfile.TemporaryDirectory() as recordings, tempfile.TemporaryDirectory() as folder:
            told = subprocess.run([JOURNAL_TESTS, "--no-skip", "-ts=recorded life"], check=True, text=True,
                                  stdout=subprocess.PIPE, env=dict(os.environ, SLABD_RECORD_DIR=recordings,
                                                                   SLABD_JOURNAL_DIR=folder)).stdout
            confirmed = [(int(words[1]), [w.encode() for w in words[2:]]) for words in
                         (line.split() for line in told.splitlines()) if words[:1] == ["confirmed"]]
            self.assertGreater(len(confirmed), 20)
            events = write_replay.read_recordings(recordings)
            states = 0
            for state in write_replay.power_loss_states_of_name(
                    events, write_replay.file_id(folder), "journal", subsets=10):
                states += 1
                found = records_of(state.content)
                before = [records for time_ns, records in confirmed if time_ns <= state.time_ns]
                after = [records for time_ns, records in confirmed if time_ns > state.time_ns]
                expected = [records[:len(found)] for records in (before[-1:] + after[:1])]
                self.assertIn(found, expected, state.how)
                if before and found == before[-1][:len(found)]:
                    self.assertGreaterEqual(len(found), len(before[-1]), state.how)
            self.assertGreater(states, 50)


if __name__ == "__main__":
    unittest.main()
