"""Results in the daemon's memory, without a copy."""

import math
import mmap
import os

import numpy as np


def map_array(answer, descriptor):
    """The array of an `attach` answer: a read-only view of the volume, without a copy. Consumes the descriptor.

    The mapping is the array's base, and keeps the read lock in the descriptor: the memory is the reader's until the
    last view is gone.
    """
    try:
        dtype, shape, offset = np.dtype(answer["dtype"]), tuple(answer["shape"]), answer["offset"]
        first = offset - offset % mmap.ALLOCATIONGRANULARITY
        memory = mmap.mmap(descriptor, offset - first + math.prod(shape) * dtype.itemsize,
                           access=mmap.ACCESS_READ, offset=first)
    finally:
        os.close(descriptor)
    if hasattr(mmap, "MADV_DONTDUMP"):
        memory.madvise(mmap.MADV_DONTDUMP)
    return np.ndarray(shape, dtype, memory, offset - first, order=answer.get("order", "C"))
