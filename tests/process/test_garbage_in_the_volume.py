"""Whatever stands in the table of jobs of a volume that is found, the daemon starts and adopts nothing wrong."""

import json
import random
import struct
import unittest

import numpy as np

import slab
from slab_harness import DaemonTestCase
from started_command import EXIT_DONE
from streaming_jobs import TILE_BYTES, slow_copy
from volume_file import (BIT_AREA_BYTES, BIT_AREAS, INPUTS, JOB_RECORD_BYTES, JOB_RECORDS, KEPT, OUTPUT, RING, RUNNING,
                         SLOTS, VolumeFile, status_of, with_status)

A, B = np.arange(1000.0), np.arange(300.0)
EXTREMES = (-2**63, -1, 0, 1, 4096, 2**21, 2**21 + 1, 2**40, 2**63 - 2**21, 2**63 - 1)


class GarbageInTheVolume(DaemonTestCase):
    def keep(self, daemon):
        job = daemon.connect().submit("outer", A, B)
        job.wait()
        return job.id

    def assert_serves(self, daemon, held=0):
        connection = daemon.connect()
        np.testing.assert_array_equal(connection.run("outer", A, B), np.outer(A, B))
        self.assertEqual(daemon.held_bytes(), held)
        json.dumps(connection.jobs(all=True))
        self.assertEqual(daemon.slab("ps", "--all").code, EXIT_DONE)
        return connection

    def test_random_bytes_in_the_whole_table(self):
        for seed in range(6):
            with self.subTest(seed=seed), self.running_daemon(workers=1) as daemon:
                rng = random.Random(seed)
                kept = self.keep(daemon)
                daemon.kill()
                volume = VolumeFile(daemon)
                volume.write(volume.records_at, rng.randbytes(JOB_RECORDS * JOB_RECORD_BYTES))
                volume.write(volume.bits_at, rng.randbytes(BIT_AREAS * BIT_AREA_BYTES))
                if seed % 2:
                    volume.write(256, rng.randbytes(volume.extents * 16))

                daemon.start()

                connection = self.assert_serves(daemon)
                with self.assertRaises(slab.SlabError):
                    connection.attach(kept)
                self.assertEqual(connection.jobs(), [])
                daemon.kill()  # the table has room again
                self.assertLessEqual(len(volume.records()), 1)
                daemon.start()

    def test_records_that_were_never_published_are_free_again(self):
        """What a supervisor leaves that is killed while it writes one: everything but the job's number."""
        daemon = self.start_daemon()
        daemon.kill()
        volume = VolumeFile(daemon)
        for number in range(JOB_RECORDS):
            record = bytearray(JOB_RECORD_BYTES)
            record[8] = (RUNNING, KEPT, 77)[number % 3]
            struct.pack_into("<i", record, 12, number % BIT_AREAS)
            volume.write(volume.records_at + number * JOB_RECORD_BYTES, record)
        daemon.start()
        kept = self.keep(daemon)

        daemon.kill()
        daemon.start()

        np.testing.assert_array_equal(daemon.connect().attach(kept), np.outer(A, B))
        daemon.slab("drop", kept)

    def test_a_kept_record_with_one_thing_changed(self):
        with self.running_daemon() as daemon:
            kept = self.keep(daemon)
            daemon.kill()
            volume = VolumeFile(daemon)
            [(place, good)] = volume.records()
            extents = volume.read(256, volume.extents * 16)
            status = json.loads(status_of(good))
            for name, record in self.changed(good, status):
                with self.subTest(name):
                    volume.write(256, extents)
                    volume.write(place, record)

                    daemon.start()

                    try:
                        connection = daemon.connect()
                        for job in connection.jobs():
                            connection.attach(job["id"])
                            connection.request("drop", job=job["id"])
                        self.assert_serves(daemon)
                    finally:
                        daemon.kill()
            volume.write(256, extents)
            volume.write(place, good)
            daemon.start()
            np.testing.assert_array_equal(daemon.connect().attach(kept), np.outer(A, B))
            daemon.slab("drop", kept)

    @staticmethod
    def changed(good, status):
        """No change of these names another part of the volume that a result might lie in: that cannot be seen."""
        begin = struct.unpack_from("<q", good, OUTPUT)[0]
        for value in EXTREMES:
            for field, place in (("begin", OUTPUT), ("end", OUTPUT + 8)):
                if value != begin or field == "end":
                    record = bytearray(good)
                    struct.pack_into("<q", record, place, value)
                    yield f"{field} {value}", bytes(record)
        for use in (0, 3, 255):
            yield f"use {use}", good[:8] + bytes([use]) + good[9:]
        for count in (0, 1, 3820, 3821, 2**32 - 1):
            yield f"status_bytes {count}", good[:272] + struct.pack("<I", count) + good[276:]
        for text in (b"", b"[]", b"{}", b"null", b'"\xff"', b"[" * 3000, b'{"output":[]}', b'{"output":{"shape":3}}',
                     b'{"output":{"dtype":"<f8","shape":[-1,5],"order":"C"}}',
                     b'{"output":{"dtype":"<f8","shape":[4611686018427387904,4],"order":"C"}}'):
            yield f"status {text[:40]}", with_status(good, text)
        for key in status:
            for value in (None, [], {}, "x", -1, 1.5, True, 2**64 - 1):
                yield f"{key} {value}", with_status(good, json.dumps({**status, key: value}).encode())

    def test_a_table_full_of_the_same_record(self):
        daemon = self.start_daemon()
        kept = self.keep(daemon)
        held = daemon.held_bytes()
        daemon.kill()
        volume = VolumeFile(daemon)
        [(_, good)] = volume.records()
        for number in range(JOB_RECORDS):
            other = struct.pack("<Q", kept if number % 2 else kept + number) + good[8:]
            volume.write(volume.records_at + number * JOB_RECORD_BYTES, other)

        daemon.start()

        connection = self.assert_serves(daemon, held)  # two results never share memory
        attachable = [job["id"] for job in connection.jobs() if job["kept"]]
        self.assertEqual(len(attachable), 1)
        daemon.slab("drop", attachable[0])
        kept = self.keep(daemon)  # and the table has room again
        daemon.kill()
        daemon.start()
        np.testing.assert_array_equal(daemon.connect().attach(kept), np.outer(A, B))
        daemon.slab("drop", kept)

    def test_a_running_record_with_one_thing_changed(self):
        """Either the change shows, and everything is computed again, or it says less than there is."""
        for name, change in self.changes_of_running():
            with self.subTest(name), self.running_daemon(test_kernels=True, tile_bytes=TILE_BYTES) as daemon:
                job = slow_copy(self.directory, milliseconds=1)
                daemon.arm("mover-before-flush")
                self.assert_exit(daemon.slab("submit", *job.arguments()), EXIT_DONE)
                daemon.wait_stopped("mover-before-flush")
                daemon.kill()
                volume = VolumeFile(daemon)
                [(place, good)] = volume.records()
                record = bytearray(good)
                change(record)
                volume.write(place, bytes(record))

                daemon.start()

                self.assert_exit(daemon.slab("resume", 1), EXIT_DONE)
                job.assert_written(self)
                self.assertEqual(daemon.held_bytes(), 0)

    @staticmethod
    def changes_of_running():
        def put(form, place, value):
            return lambda record: struct.pack_into(form, record, place, value)
        for value in (-2**63, -1, 1, 2**21 + 1, 2**63 - 1):
            yield f"ring begin {value}", put("<q", RING, value)
            yield f"ring end {value}", put("<q", RING + 8, value)
        yield "an output that is whole", put("<q", OUTPUT + 8, 2**21)
        yield "an input that is whole", put("<q", INPUTS + 8, 2**22)
        for value in (-1, 5000, 2**62):
            yield f"bands_done {value}", put("<q", 32, value)
        for value in (1, 2**32 - 1):
            yield f"phase {value}", put("<I", 40, value)
        for value in (0, 2**64 - 1):
            yield f"plan {value}", put("<Q", 24, value)
        for value in (-1, -2**31, 8, 2**31 - 1):
            yield f"bit_area {value}", put("<i", 12, value)
        yield "slot's stage", put("<I", SLOTS + 8, 2**32 - 1)
        yield "slot's band", put("<q", SLOTS, 2**63 - 1)
        yield "date", put("<d", 16, float("nan"))

    def test_a_header_whose_last_number_is_the_largest(self):
        daemon = self.start_daemon()
        daemon.kill()
        volume = VolumeFile(daemon)
        volume.write(112 - 8, struct.pack("<Q", 2**64 - 1))

        daemon.start()

        self.assert_serves(daemon)


if __name__ == "__main__":
    unittest.main()
