"""What people use instead of slabd, written as they write it. Each function computes the whole case once.

The ones named warm write into memory that has been written before, as slabd does; the others pay for fresh memory in
every call, as a program does that asks numpy for a new array.
"""

import multiprocessing
from multiprocessing import shared_memory

import numba
import numpy as np
import scipy.ndimage

# ------------------------------------------------------------------------------------------------------------- zoom


def zoom_indices(array):
    """Of convention round at factor 2: index = round_half_even(k / 2), clamped."""
    return [np.minimum(np.rint(np.arange(2 * n) / 2), n - 1).astype(np.intp) for n in array.shape]


def numpy_zoom(array):
    return array[np.ix_(*zoom_indices(array))]


def scipy_zoom(array):
    return scipy.ndimage.zoom(array, 2, order=0)


@numba.njit(parallel=True)
def _numba_zoom(array, factor, out):
    depth, height, width = array.shape
    for z in numba.prange(out.shape[0]):
        source_z = min(int(np.rint(z / factor)), depth - 1)
        for y in range(out.shape[1]):
            source_y = min(int(np.rint(y / factor)), height - 1)
            for x in range(out.shape[2]):
                out[z, y, x] = array[source_z, source_y, min(int(np.rint(x / factor)), width - 1)]


def numba_zoom(array, out=None):
    out = np.empty([2 * n for n in array.shape], array.dtype) if out is None else out
    _numba_zoom(array, 2.0, out)
    return out


# ------------------------------------------------------------------------------------------------------------ outer


def numpy_outer(y, x):
    return np.outer(y, x)


def numpy_outer_warm(y, x, out):
    return np.multiply.outer(y, x, out=out)


@numba.njit(parallel=True)
def _numba_outer(y, x, out):
    for i in numba.prange(len(y)):
        for j in range(len(x)):
            out[i, j] = y[i] * x[j]


def numba_outer(y, x, out=None):
    out = np.empty((len(y), len(x))) if out is None else out
    _numba_outer(y, x, out)
    return out


class PoolOuter:
    """Worker processes that fill one shared array tile by tile, with nothing to gather: slabd's idea in plain Python.

    The array and the pool are there before the clock starts, and warm from the second call on.
    """

    tile_rows, tile_columns = 512, 2048

    def __init__(self, y, x, workers):
        self._memory = shared_memory.SharedMemory(create=True, size=y.nbytes * len(x))
        self._tiles = [(i, j) for i in range(0, len(y), self.tile_rows) for j in range(0, len(x), self.tile_columns)]
        self._pool = multiprocessing.get_context("fork").Pool(workers, _adopt, (self._memory.name, y, x))

    def __call__(self):
        self._pool.map(_fill_tile, self._tiles, chunksize=8)

    def close(self):
        self._pool.terminate()
        self._pool.join()
        self._memory.close()
        self._memory.unlink()


def _adopt(name, y, x):
    global _memory, _result, _y, _x  # a pool's worker has no other place
    _memory = shared_memory.SharedMemory(name=name)
    _result, _y, _x = np.ndarray((len(y), len(x)), buffer=_memory.buf), y, x


def _fill_tile(tile):
    i, j = tile
    rows, columns = slice(i, i + PoolOuter.tile_rows), slice(j, j + PoolOuter.tile_columns)
    np.multiply(_y[rows, None], _x[columns], out=_result[rows, columns])


# ------------------------------------------------------------------------------------------------------ small and disk


class PoolSmallZoom:
    """The small job by a pool that is running already: the array is pickled in, and the result out."""

    def __init__(self):
        self._pool = multiprocessing.get_context("fork").Pool(1)

    def __call__(self, array):
        return self._pool.apply(numpy_zoom, (array,))

    def close(self):
        self._pool.terminate()
        self._pool.join()


def use_threads(count):
    numba.set_num_threads(min(count, numba.config.NUMBA_NUM_THREADS))


def compile_numba():
    """Both loops once, so that no measurement contains the compiler."""
    small = np.zeros((4, 4, 4), bool)
    numba_zoom(small)
    numba_outer(np.ones(4), np.ones(4))
