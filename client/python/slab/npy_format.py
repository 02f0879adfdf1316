"""The header of .npy files, also packed ones."""

import gzip
import io
import zlib

import numpy as np

from slab.errors import UsageError

LONGEST_HEADER = 2**20
HEADER_BYTES = 4096  # of a written .npy: O_DIRECT needs the payload on a multiple of the file system's block


def read_packed_header(file, what):
    """The header in a gzip file, whose bytes are counted unpacked. Unpacks the beginning only, whatever it promises."""
    try:
        with gzip.GzipFile(fileobj=file) as unpacked:
            return read_npy_header(io.BytesIO(unpacked.read(LONGEST_HEADER)), what)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(what, f"its gzip data cannot be read: {error}", "Write or copy the file again.") from error


def read_npy_header(file, what):
    try:
        version = np.lib.format.read_magic(file)
        # Version 3 differs from 2 only in non-ASCII names of record fields, which no array of ours has.
        read = (np.lib.format.read_array_header_1_0 if version == (1, 0)
                else np.lib.format.read_array_header_2_0)
        shape, fortran_order, dtype = read(file)
    except (ValueError, SyntaxError, TypeError, OverflowError) as error:
        raise UsageError(what, f"it is not a .npy file: {error}",
                         "Give a .npy file, or read the file yourself and give the array.") from error
    return shape, "F" if fortran_order else "C", dtype, file.tell()


def npy_header(array):
    """The header of a .npy file for an ARRAY of the protocol, padded so that the data start at 4096."""
    text = "{'descr': %r, 'fortran_order': %r, 'shape': %r, }" % (
        np.dtype(array["dtype"]).str, array.get("order") == "F", tuple(array["shape"]))
    magic = np.lib.format.magic(1, 0)
    length = HEADER_BYTES - len(magic) - 2
    return magic + length.to_bytes(2, "little") + text.encode().ljust(length - 1) + b"\n"
