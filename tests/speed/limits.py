"""What this machine can do at most, measured between the repetitions of what is compared with it."""

import json
import mmap
import os
import subprocess
import time

MADV_POPULATE_WRITE = 23
PIECE = 8 << 20  # 4 to 16 MiB a write are equally fast


def store_seconds(settings, written_bytes, processes):
    """Streaming stores of so many bytes to warm shared memory by so many pinned processes.

    The best of three: each process has a fixed half, so what else runs slows it more than workers that share out leases.
    """
    answer = subprocess.run([settings.build / "tests/speed/store_limit", str(written_bytes), str(processes), "3"],
                            stdout=subprocess.PIPE, check=True)
    return json.loads(answer.stdout)["least_s"]


def copy_seconds(settings, read_bytes, written_bytes, processes, rows=()):
    """Reading so many bytes of warm shared memory and streaming so many to it, side by side; the best of three.

    rows: the bytes of a row that is read and how far apart rows are, where not all of the memory is read.
    """
    answer = subprocess.run([settings.build / "tests/speed/copy_limit", str(read_bytes), str(written_bytes), str(processes),
                             "3", *map(str, rows)], stdout=subprocess.PIPE, check=True)
    return json.loads(answer.stdout)["least_s"]


def ring_write_seconds(settings, path, written_bytes):
    """io_uring and O_DIRECT from memory that is there, the queue as deep as a mover's: reserve, write, sync."""
    answer = subprocess.run([settings.build / "tests/speed/write_limit", path, str(written_bytes)],
                            stdout=subprocess.PIPE, check=True)
    record = json.loads(answer.stdout)
    return record["reserve_s"] + record["write_s"]


def direct_write_seconds(path, written_bytes):
    """O_DIRECT writes, one after the other, to a file whose space is reserved, as `dd oflag=direct conv=fdatasync`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_DIRECT, 0o600)
    try:
        with mmap.mmap(-1, PIECE) as piece:
            piece.write(b"\1" * PIECE)
            os.posix_fallocate(descriptor, 0, written_bytes)
            start = time.perf_counter()
            for offset in range(0, written_bytes, PIECE):
                os.pwrite(descriptor, memoryview(piece)[:min(PIECE, written_bytes - offset)], offset)
            os.fdatasync(descriptor)
            return time.perf_counter() - start
    finally:
        os.close(descriptor)
        os.unlink(path)
