"""What zoom means, written as a user would write it by hand: index tables and numpy's fancy indexing."""

import numpy as np


def zoomed_by_round(array, factor):
    """index = round_half_even(k / factor), clamped: the loop that people write with numba."""
    factors = np.broadcast_to(np.asarray(factor, float), array.ndim)
    indices = [np.minimum(np.rint(np.arange(int(round(n * f))) / f), n - 1).astype(np.int64)
               for n, f in zip(array.shape, factors)]
    return array[np.ix_(*indices)]


def zoomed_by_floor(array, shape):
    """index = floor(k * n_in / n_out) in whole numbers: OpenCV's and torch's nearest."""
    return array[np.ix_(*[np.arange(n_out) * n_in // n_out for n_in, n_out in zip(array.shape, shape)])]


def checkered(shape, dtype=np.uint8):
    """An array in which neighbours differ along every axis, so that a wrong index shows."""
    steps = (1, 7, 31, 101, 211)
    total = sum(step * axis for step, axis in zip(steps, np.ogrid[tuple(slice(0, n) for n in shape)]))
    return (total % 251).astype(dtype)
