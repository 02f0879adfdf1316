"""The header of a volume in /dev/shm, read and changed by other code than the daemon's (common/volume/layout.hpp)."""

import pathlib
import struct

HEADER_BYTES, EXTENT_RECORD_BYTES = 256, 16
JOB_RECORD_BYTES, JOB_RECORDS = 4096, 128
BIT_AREA_BYTES, BIT_AREAS = 128 << 10, 8
RUNNING, KEPT = 1, 2

_LAYOUT = 8  # the version's place
_EXTENT_COUNT = 88
_STATUS_BYTES = 408
STATUS = 412
OUTPUT, RING, WORK, INPUTS, SLOTS = 40, 56, 72, 88, 344  # in a job's record


class VolumeFile:
    """The volume of a daemon that does not run."""

    def __init__(self, daemon):
        self.path = pathlib.Path("/dev/shm") / f"slabd.{daemon.instance}"

    def read(self, place, count):
        with self.path.open("rb") as file:
            file.seek(place)
            return file.read(count)

    def write(self, place, content):
        with self.path.open("r+b") as file:
            file.seek(place)
            file.write(content)

    def set_layout(self, version):
        self.write(_LAYOUT, struct.pack("<I", version))

    @property
    def extents(self):
        return struct.unpack("<q", self.read(_EXTENT_COUNT, 8))[0]

    @property
    def records_at(self):
        return -(-(HEADER_BYTES + self.extents * EXTENT_RECORD_BYTES) // JOB_RECORD_BYTES) * JOB_RECORD_BYTES

    @property
    def bits_at(self):
        return self.records_at + JOB_RECORDS * JOB_RECORD_BYTES

    def records(self):
        """[(place, bytes)] of those that are not free."""
        found = []
        for number in range(JOB_RECORDS):
            place = self.records_at + number * JOB_RECORD_BYTES
            record = self.read(place, JOB_RECORD_BYTES)
            if struct.unpack_from("<Q", record)[0] != 0:
                found.append((place, record))
        return found


def status_of(record):
    return record[STATUS:STATUS + struct.unpack_from("<I", record, _STATUS_BYTES)[0]]


def with_status(record, status):
    padding = bytes(JOB_RECORD_BYTES - STATUS - len(status))
    return record[:_STATUS_BYTES] + struct.pack("<I", len(status)) + status + padding
