"""The journal's file, read by other code than the daemon's (the format: daemon/journal/journal_frame.hpp)."""

import functools
import json
import struct

HEAD_BYTES = 16


def _crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82f63b78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc32c_table()


@functools.lru_cache(maxsize=4096)
def crc32c(data):
    value = 0xffffffff
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xff] ^ (value >> 8)
    return value ^ 0xffffffff


def head_of_version(version):
    head = b"slabjrnl" + struct.pack("<I", version)
    return head + struct.pack("<I", crc32c(head))


def frames_of(journal):
    """(place, payload) of each frame of the good prefix; none when not even the head is there."""
    if journal is None or len(journal) < HEAD_BYTES:
        return []
    assert journal[:8] == b"slabjrnl" and crc32c(journal[:12]) == struct.unpack_from("<I", journal, 12)[0]
    frames, place = [], HEAD_BYTES
    while place + 16 <= len(journal):
        length, checksum, sequence = struct.unpack_from("<IIQ", journal, place)
        payload = journal[place + 16:place + 16 + length]
        if length == 0 or len(payload) < length or crc32c(struct.pack("<IQ", length, sequence) + payload) != checksum:
            break
        frames.append((place, payload))
        place += 16 + (length + 7) // 8 * 8
    return frames


def records_of(journal):
    return [payload for _, payload in frames_of(journal)]


def jobs_of(journal):
    """{id: what the records say of it}: "submitted", "interrupted", or the outcome of its end."""
    told = {}
    for payload in records_of(journal):
        record = json.loads(payload)
        if record["record"] in ("submitted", "interrupted"):
            told[record["job"]] = record["record"]
        elif record["record"] == "resumed":
            told[record["job"]] = "submitted"
        elif record["record"] == "ended":
            told[record["job"]] = record["status"]["outcome"]
    return told
