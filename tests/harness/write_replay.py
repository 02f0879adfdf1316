"""What a power loss may leave of a file, from the writes that a program recorded (common/recording).

    events = read_recordings(folder)
    for state in power_loss_states(events, file_id): ...
    for state in power_loss_states_of_name(events, folder_id, "journal"): ...

What was written before a sync was begun that has completed is there. Of what came later: every prefix, any subset (some
at random), and the last write torn at a sector. A truncate is one of these operations. A name may still mean the file
that it meant before a rename until its folder has been synced.
"""

import collections
import dataclasses
import os
import pathlib
import random
import struct

SECTOR = 512
MOST_CUTS = 32  # of one torn write: of a long one its first sectors and a sample of the others
WRITE, TRUNCATE, SYNC, RENAME, CREATE = 1, 2, 3, 4, 5
_HEAD = struct.Struct("=QIIQQqq")


@dataclasses.dataclass(frozen=True)
class Event:
    time_ns: int
    kind: int
    file: tuple  # (device, inode); rename: of the folder
    offset: int = 0  # sync: ns at which it was begun; rename: inode of the file
    length: int = 0
    name: str = ""  # rename: "FROM\0TO"
    data: bytes = b""
    pid: int = 0


@dataclasses.dataclass(frozen=True)
class State:
    content: bytes | None  # None: the name does not exist
    time_ns: int  # of the power loss: not before the event at this time, and before the next one
    how: str  # for the message of a test


def file_id(path):
    status = os.stat(path)
    return status.st_dev, status.st_ino


def parse_recording(data, pid=0):
    """The events of one process; a frame that its death cut short is left out."""
    events, place = [], 0
    while place + _HEAD.size <= len(data):
        time_ns, kind, name_bytes, device, inode, offset, length = _HEAD.unpack_from(data, place)
        name_end = place + _HEAD.size + name_bytes
        end = name_end + (length if kind == WRITE else 0)
        if end > len(data):
            break
        events.append(Event(time_ns, kind, (device, inode), offset, length,
                            data[place + _HEAD.size:name_end].decode(), data[name_end:end], pid))
        place = end
    return events


def read_recordings(folder):
    """The events of all processes, in the order of time."""
    events = []
    for log in pathlib.Path(folder).glob("*.log"):
        events += parse_recording(log.read_bytes(), int(log.stem))
    return sorted(events, key=lambda event: event.time_ns)


def apply_operations(content, operations):
    content = bytearray(content)
    for event in operations:
        if event.kind == TRUNCATE:
            del content[event.length:]
            content.extend(bytes(event.length - len(content)))
        else:
            content.extend(bytes(max(0, event.offset - len(content))))
            content[event.offset:event.offset + len(event.data)] = event.data
    return bytes(content)


class _Disk:
    """One file: what is on the disk for certain, and the operations that may or may not be."""

    def __init__(self, content):
        self.certain = content
        self.pending = []

    def sync(self, begun_ns):
        count = sum(1 for _ in self._before(begun_ns))
        self.certain = apply_operations(self.certain, self.pending[:count])
        del self.pending[:count]

    def _before(self, begun_ns):
        for event in self.pending:
            if event.time_ns > begun_ns:
                return
            yield event

    def with_prefixes(self):
        for count in range(len(self.pending) + 1):
            yield apply_operations(self.certain, self.pending[:count]), f"{count} of {len(self.pending)} operations"

    def with_torn_last(self):
        if not self.pending or self.pending[-1].kind != WRITE:
            return
        *earlier, last = self.pending
        base = apply_operations(self.certain, earlier)
        cuts = range((last.offset // SECTOR + 1) * SECTOR, last.offset + len(last.data), SECTOR)
        if len(cuts) > MOST_CUTS:
            cuts = [*cuts[:MOST_CUTS // 4], *cuts[::4 * len(cuts) // MOST_CUTS], cuts[-1]]
        for cut in cuts:
            torn = dataclasses.replace(last, data=last.data[:cut - last.offset])
            yield apply_operations(base, [torn]), f"the write at {last.offset} torn at {cut}"
            # The file has its new length already, the sectors behind the cut were never written.
            longer = bytes(max(0, last.offset + len(last.data) - len(base)))
            yield apply_operations(base + longer, [torn]), f"the write at {last.offset} torn at {cut}, then zeros"

    def with_subsets(self, chance, count):
        for _ in range(count if len(self.pending) > 1 else 0):
            kept = [event for event in self.pending if chance.random() < 0.5]
            yield apply_operations(self.certain, kept), f"operations {[self.pending.index(e) for e in kept]}"

    def all_states(self, chance, subsets):
        yield from self.with_prefixes()
        yield from self.with_torn_last()
        yield from self.with_subsets(chance, subsets)


def _unseen(states, seen, time_ns):
    for content, how in states:
        known = hash(content)
        if known not in seen:
            seen.add(known)
            yield State(content, time_ns, how)


def power_loss_states(events, file, initial=b"", seed=0, subsets=30):
    """Every State of one file, each content once between two syncs. `file`: (device, inode)."""
    chance = random.Random(seed)
    disk, seen = _Disk(initial), set()
    yield from _unseen(disk.with_prefixes(), seen, 0)
    last_ns = 0
    for event in (event for event in events if event.file == file):
        if event.kind == SYNC:
            yield from _unseen(disk.with_subsets(chance, subsets), seen, last_ns)
            disk.sync(event.offset)
            seen = set()
        elif event.kind == CREATE:
            disk, seen = _Disk(b""), set()
        elif event.kind in (WRITE, TRUNCATE):
            disk.pending.append(event)
        last_ns = event.time_ns
        yield from _unseen(disk.with_prefixes(), seen, last_ns)
        yield from _unseen(disk.with_torn_last(), seen, last_ns)
    yield from _unseen(disk.with_subsets(chance, subsets), seen, last_ns)


def power_loss_states_at(events, file, time_ns, initial=b"", seed=0, subsets=30):
    """Every State that a power loss at this very time may leave of one file."""
    disk = _Disk(initial)
    for event in events:
        if event.file == file and event.time_ns <= time_ns:
            if event.kind == SYNC:
                disk.sync(event.offset)
            elif event.kind in (WRITE, TRUNCATE):
                disk.pending.append(event)
    return [State(content, time_ns, how) for content, how in disk.all_states(random.Random(seed), subsets)]


def power_loss_states_of_name(events, folder, name, initial_file=None, initial=b"", seed=0, subsets=30):
    """Every State of what a name in a folder means, over renames onto it. Files that are renamed are new ones."""
    chance = random.Random(seed)
    disks = collections.defaultdict(lambda: _Disk(b""))  # by (device, inode): a number is used again after its file
    if initial_file is not None:
        disks[initial_file] = _Disk(initial)
    # What the name meant for certain, then what it means after renames that the folder's disk may not know of.
    meanings = [(0, disks[initial_file] if initial_file else None)]
    for event in events:
        concerned = event.file == folder
        if event.kind == RENAME and concerned:
            if event.name.split("\0")[1] == name:
                meanings.append((event.time_ns, disks[folder[0], event.offset]))
        elif event.kind == SYNC and concerned:
            certain = max(i for i, (time_ns, _) in enumerate(meanings) if time_ns <= event.offset)
            del meanings[:certain]
        elif event.kind == CREATE:
            disks[event.file] = _Disk(b"")
        elif event.kind == SYNC:
            disks[event.file].sync(event.offset)
        else:
            disks[event.file].pending.append(event)
        if not concerned and not any(disks[event.file] is disk for _, disk in meanings):
            continue
        seen = set()
        for _, disk in meanings:
            states = [(None, "not there yet")] if disk is None else disk.all_states(chance, subsets)
            yield from _unseen(states, seen, event.time_ns)
