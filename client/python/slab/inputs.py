"""Arrays on their way to the daemon."""

import math
import mmap
import os
import stat

import numpy as np

from slab.errors import UsageError, os_error
from slab.npy_format import read_npy_header, read_packed_header
from slab.sealed_memory import seal, sealed_memfd

MOST_INFLATION = 1032  # deflate's best ratio


class Input:
    """One input array on its way to the daemon: its description and a descriptor of its bytes."""

    def __init__(self, dtype, shape, order, descriptor, offset, path=None, codec=None):
        self.array = {"dtype": dtype.str, "shape": [int(extent) for extent in shape], "order": order}
        if codec is not None:
            self.array["codec"] = codec
        self.path = path  # absolute; None: an array in memory
        self.descriptor = descriptor
        self.offset = offset

    def close(self):
        os.close(self.descriptor)


def open_input(source):
    """A path of a .npy or .npy.gz file, or anything that numpy makes an array of."""
    if isinstance(source, (str, os.PathLike)):
        return _input_from_npy(os.fspath(source))
    array = np.asarray(source)
    check_dtype(array.dtype, "the input array")
    mapped = _file_of(array) if array.flags.forc else None
    descriptor, offset = mapped or (_memfd_of(array), 0)
    path = os.path.abspath(_root_of(array).filename) if mapped else None
    return Input(array.dtype, array.shape, _order_of(array), descriptor, offset, path)


def describe_input(source):
    """The ARRAY of an input, without its bytes."""
    if isinstance(source, (str, os.PathLike)):
        opened = _input_from_npy(os.fspath(source))
        opened.close()
        return opened.array
    array = np.asarray(source)
    check_dtype(array.dtype, "the input array")
    return {"dtype": array.dtype.str, "shape": list(array.shape), "order": _order_of(array)}


def _order_of(array):
    """How the array travels: non-contiguous ones are copied to C order."""
    return "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"


def check_dtype(dtype, whose):
    sizes = {"b": (1,), "u": (1, 2, 4, 8), "i": (1, 2, 4, 8), "f": (4, 8), "c": (8, 16)}
    if dtype.itemsize not in sizes.get(dtype.kind, ()):
        raise UsageError(f"the element type of {whose} cannot be used: {dtype}",
                         "arrays are bool, (u)int8 to (u)int64, float32, float64, complex64 or complex128",
                         "Convert it with numpy's astype().")


def _memfd_of(array):
    """A sealed memfd with a copy of the array: its own order when contiguous, else C order."""
    if array.flags.forc:
        in_memory_order = array if array.flags.c_contiguous else array.T
        return sealed_memfd("slab-input", in_memory_order.reshape(-1).view(np.uint8))
    memfd = os.memfd_create("slab-input", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        if array.nbytes:
            os.posix_fallocate(memfd, 0, array.nbytes)  # too little memory is an OSError here, a SIGBUS below
            with mmap.mmap(memfd, array.nbytes) as memory:
                np.ndarray(array.shape, array.dtype, memory)[...] = array
        seal(memfd)
        return memfd
    except BaseException:
        os.close(memfd)
        raise


def _file_of(array):
    """(descriptor, offset) of the file behind a contiguous array that maps one read-only; None for other arrays.

    The name may by now belong to another file (a result replaced by rename): only the very inode that is mapped
    will do, otherwise the array is copied.
    """
    root = _root_of(array)
    if not (isinstance(root, np.memmap) and isinstance(root.base, mmap.mmap)
            and root.mode == "r" and root.filename and array.nbytes):
        return None
    try:
        descriptor = os.open(root.filename, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    facts = os.fstat(descriptor)
    address = array.__array_interface__["data"][0]
    if _mapped_file_at(address) == (os.major(facts.st_dev), os.minor(facts.st_dev), facts.st_ino):
        return descriptor, root.offset + address - root.__array_interface__["data"][0]
    os.close(descriptor)
    return None


def _root_of(array):
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _mapped_file_at(address):
    """(major, minor, inode) of the file that is mapped at this address of this process."""
    with open("/proc/self/maps", "rb") as maps:
        for line in maps:
            addresses, _, _, device, inode = line.split(maxsplit=5)[:5]
            first, last = (int(bound, 16) for bound in addresses.split(b"-"))
            if first <= address < last:
                major, minor = (int(part, 16) for part in device.split(b":"))
                return major, minor, int(inode)
    return None


def _input_from_npy(path):
    what = f"{path} cannot be used as input"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise os_error(what, error, "Check the path.") from error
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise UsageError(what, "it is not a regular file", "Give the path of a .npy or .npy.gz file.")
        with open(descriptor, "rb", closefd=False) as file:
            packed = path.endswith(".gz") or file.peek(2)[:2] == b"\x1f\x8b"
            shape, order, dtype, offset = read_packed_header(file, what) if packed else read_npy_header(file, what)
        check_dtype(dtype, path)
        expected = offset + math.prod(shape) * dtype.itemsize  # Python's integers: no shape overflows
        capacity = facts.st_size * (MOST_INFLATION if packed else 1)
        if any(extent < 0 for extent in shape) or capacity < expected:
            raise UsageError(what, f"its header promises {expected} bytes, the file has {facts.st_size}"
                             + (" packed ones" if packed else ""),
                             "The file is cut short or its header is damaged: write it again.")
        return Input(dtype, shape, order, descriptor, offset, os.path.abspath(path), "gzip" if packed else None)
    except BaseException:
        os.close(descriptor)
        raise
