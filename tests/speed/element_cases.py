"""The cases of expressions: a map into a third array, and a sum of one."""

import numba
import numpy as np

from measuring import Peer, compute_record, fresh, kept_result, warm, worker_count
from speed_daemon import running_daemon, volume_bytes_for

try:
    import numexpr
except ImportError:
    numexpr = None

# Of the sum: numpy adds pairwise, numba one after the other in as many lanes as there are.
PAIRWISE_TOLERANCE = 1e-12
PLAIN_TOLERANCE = 1e-9


def saved(settings, name, array):
    path = settings.directory / name
    np.save(path, array)
    return str(path)


def numpy_map(a, b):
    return np.sqrt(a) + b**2


def numpy_map_warm(a, b, out):
    np.sqrt(a, out=out)
    out += b**2
    return out


def numexpr_map_warm(a, b, out):
    return numexpr.evaluate("sqrt(a) + b**2", out=out)


@numba.njit(parallel=True, fastmath=True)
def _numba_map(a, b, out):
    for i in numba.prange(a.size):
        out[i] = np.sqrt(a[i]) + b[i]**2


def numba_map_warm(a, b, out):
    _numba_map(a, b, out)
    return out


@numba.njit(parallel=True, fastmath=True)
def _numba_sum(a):
    total = 0.0
    for i in numba.prange(a.size):
        total += np.sqrt(a[i]) + a[i] * a[i]
    return total


def numba_sum(a):
    return np.array(_numba_sum(a))


def numpy_sum(a):
    return np.array((np.sqrt(a) + a * a).sum())


def map_two(settings):
    """sqrt(a) + b**2 of float64: 8 bytes of each read, 8 written."""
    count = 1_000_000 if settings.quick else 100_000_000
    random = np.random.default_rng(1)
    a, b = random.random(count), random.random(count)
    rivals = {"numpy": fresh(numpy_map, a, b), "numpy_warm": warm(numpy_map_warm, a.shape, a.dtype, a, b),
              "numba_warm": Peer(warm(numba_map_warm, a.shape, a.dtype, a, b).prepare, tolerance=1e-15)}
    missing = {}
    if numexpr is None:
        missing = {"left_out": {"numexpr": "python3-numexpr is not installed"}}
    else:
        rivals["numexpr_warm"] = warm(numexpr_map_warm, a.shape, a.dtype, a, b)
    volume = volume_bytes_for(a.nbytes, b.nbytes, a.nbytes, 16 << 20)
    paths = saved(settings, "a.npy", a), saved(settings, "b.npy", b)
    with running_daemon(settings, volume) as (connection, _):
        workers = worker_count(connection)
        if numexpr is not None:
            numexpr.set_num_threads(workers)
        numba_map_warm(a[:10], b[:10], np.ones(10))
        record = compute_record(settings, lambda: kept_result(connection, "map", *paths, expr="sqrt(a) + b**2"),
                                a.nbytes, workers, rivals if settings.with_peers else {}, read_bytes=2 * a.nbytes)
    return {**record, **missing}


def fold_sum(settings):
    """The sum of sqrt(a) + a*a: everything is read, nothing written."""
    a = np.random.default_rng(1).random(1_000_000 if settings.quick else 500_000_000)
    rivals = {"numba": fresh(numba_sum, a, tolerance=PLAIN_TOLERANCE),
              "numpy": fresh(numpy_sum, a, tolerance=PAIRWISE_TOLERANCE, most_repetitions=1)}
    path = saved(settings, "a.npy", a)
    with running_daemon(settings, volume_bytes_for(a.nbytes, 64 << 20)) as (connection, _):
        workers = worker_count(connection)
        numba_sum(a[:10])
        return compute_record(settings, lambda: kept_result(connection, "fold", path, expr="sqrt(a) + a*a", reduce="sum"),
                              4096 * workers, workers, rivals if settings.with_peers else {}, read_bytes=a.nbytes)


ALL = {"map_two": map_two, "fold_sum": fold_sum}
VOLUME_BYTES = {"map_two": 2_500_000_000, "fold_sum": 4_200_000_000}
