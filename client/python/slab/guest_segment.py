"""The memory that guests fill: mapped once, before they are forked, and shared by all of them."""

import ctypes
import errno
import mmap
import os
import threading
import time

import numpy as np

from slab.errors import JobFailed, Refused

EXTENT_BYTES = 2 << 20    # a huge page
MADV_POPULATE_WRITE = 23  # Linux 5.14
MADV_COLLAPSE = 25        # Linux 6.1
SLOW_COLLAPSE_S = 2e-3
MOST_SMALL_ONES = 64
PROT_NONE, MAP_FIXED = 0, 0x10  # mmap does not name them

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_FAILED = ctypes.c_void_p(-1).value


class GuestSegment:
    """A writable mapping at an address that huge pages can have. It is the base of every array in it, and as long as one
    is alive the daemon gives the memory to nobody else."""

    def __init__(self, descriptor, byte_count):
        self._address = None
        self._bytes = byte_count
        # Reserve addresses with room to align, map over them, give the rest back.
        reserved = self._map(None, byte_count + EXTENT_BYTES, PROT_NONE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1)
        start = -(-reserved // EXTENT_BYTES) * EXTENT_BYTES
        self._map(start, byte_count, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED | MAP_FIXED, descriptor)
        self._address = start
        end, limit = start + byte_count, reserved + byte_count + EXTENT_BYTES
        for first, last in ((reserved, start), (end, limit)):
            if last > first:
                _libc.munmap(first, last - first)
        _libc.madvise(start, byte_count, mmap.MADV_DONTDUMP)

    @staticmethod
    def _map(address, count, protection, flags, descriptor):
        found = _libc.mmap(address, count, protection, flags, descriptor, 0)
        if found == _FAILED:
            raise JobFailed("the guests' memory cannot be mapped", os.strerror(ctypes.get_errno()),
                            "Look at this process's limit of address space (ulimit -v).")
        return found

    def __del__(self):
        self.unmap()

    def unmap(self):
        """At once, though an exception's traceback may still hold this object. Only where no array in it is alive."""
        address, self._address = self._address, None
        if address is not None:
            _libc.munmap(address, self._bytes)

    @property
    def __array_interface__(self):
        return {"version": 3, "shape": (self._bytes,), "typestr": "|u1", "data": (self._address, False)}

    def array(self, shape, dtype, offset=0):
        """An array in it, in C order, writable."""
        return np.ndarray(shape, dtype, np.asarray(self), offset)

    def populate(self, threads):
        """Puts memory behind all of it, with huge pages where there are any, so that too little is an error here and not a
        signal to whoever writes. Each thread has its share."""
        extents = self._bytes // EXTENT_BYTES
        threads = max(1, min(threads, extents))
        failures = []

        def share(number):
            code = self._populate_extents(extents * number // threads, extents * (number + 1) // threads)
            if code:
                failures.append(code)
        helpers = [threading.Thread(target=share, args=(number,)) for number in range(1, threads)]
        for helper in helpers:
            helper.start()
        share(0)
        for helper in helpers:
            helper.join()
        if failures:
            raise Refused("the machine has too little memory for the output",
                          f"{self._bytes} bytes are needed at once: {os.strerror(failures[0])}",
                          "Write it to a file (out=...), so that it streams, or wait for other programs to end.")

    def _populate_extents(self, first, last):
        # Where free memory is in small pieces the kernel moves pages about for a huge one: 6 ms have been measured, instead
        # of 0.3, while 512 small pages take 0.9. After such a one the next few extents get small pages.
        small_ones, pause = 0, 0
        for address in range(self._address + first * EXTENT_BYTES, self._address + last * EXTENT_BYTES, EXTENT_BYTES):
            if small_ones == 0:
                begun = time.perf_counter()
                # A small page first: MADV_COLLAPSE answers EINVAL for an extent that nobody has touched.
                if _libc.madvise(address, mmap.PAGESIZE, MADV_POPULATE_WRITE) != 0:
                    code = ctypes.get_errno()
                    return 0 if code == errno.EINVAL else code  # a kernel that cannot say beforehand
                is_huge = _libc.madvise(address, EXTENT_BYTES, MADV_COLLAPSE) == 0
                is_slow = time.perf_counter() - begun > SLOW_COLLAPSE_S
                pause = min(2 * pause + 1, MOST_SMALL_ONES) if is_slow or not is_huge else 0
                small_ones = pause
                if is_huge:
                    continue
            else:
                small_ones -= 1
            if _libc.madvise(address, EXTENT_BYTES, MADV_POPULATE_WRITE) != 0:
                return ctypes.get_errno()
        return 0
