"""slab.map_tiles against a multiprocessing.Pool over a shared Array: the recipe that people copy, and its parts."""

import multiprocessing
import statistics
import time

import numpy as np

import limits
from measuring import STORE_LIMIT, summary, worker_count
from speed_daemon import running_daemon

TILE_ROWS, TILE_COLUMNS = 512, 2048


def operate(tile, y, x, out):
    np.multiply(y[tile.y, None], x[tile.x], out=out)


class PoolRecipe:
    """A shared Array, a Pool whose workers find it in a global, and a map over (y, x) slices of it."""

    def __init__(self, y, x, workers):
        self._shape = (len(y), len(x))
        self._array = multiprocessing.Array("d", y.size * x.size, lock=False)
        self._slices = [(i, j) for i in range(0, len(y), TILE_ROWS) for j in range(0, len(x), TILE_COLUMNS)]
        self._pool = multiprocessing.get_context("fork").Pool(workers, _adopt, (self._array, self._shape, y, x))

    def map(self):
        self._pool.map(_fill, self._slices)
        return np.frombuffer(self._array).reshape(self._shape)

    def close(self):
        self._pool.terminate()
        self._pool.join()


def _adopt(array, shape, y, x):
    global _result, _y, _x  # a pool's worker has no other place
    _result, _y, _x = np.frombuffer(array).reshape(shape), y, x


def _fill(place):
    rows, columns = (slice(first, first + size) for first, size in zip(place, (TILE_ROWS, TILE_COLUMNS)))
    np.multiply(_y[rows, None], _x[columns], out=_result[rows, columns])


def timed(function):
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def map_tiles(settings):
    """The whole call, from the program's line to the array: seconds with memory that the user's last call left warm,
    cold_seconds of the first call of a fresh daemon. Of the recipe the whole (array, pool, map), and a second map of the
    same pool alone."""
    random = np.random.default_rng(1)
    rows, columns = (1000, 2000) if settings.quick else (50_000, 10_000)
    y, x = random.standard_normal(rows), random.standard_normal(columns)
    seconds, cold, limit_s = [], [], []
    peer_s = {"pool_whole": [], "pool_warm_map": []} if settings.with_peers else {}
    for _ in range(settings.repetitions):
        with running_daemon(settings, 64 << 20) as (connection, _):
            workers = worker_count(connection)

            def ours():
                return connection.map_tiles(operate, y, x, shape=(rows, columns), dtype=float, workers=workers)
            elapsed, result = timed(ours)
            cold.append(elapsed)
            if not np.array_equal(result[::97], np.multiply.outer(y[::97], x)):
                raise SystemExit("map_tiles is wrong: the times mean nothing")
            del result
            limit_s.append(limits.store_seconds(settings, 8 * rows * columns, workers))
            for _ in range(2):
                elapsed, result = timed(ours)
                seconds.append(elapsed)
                del result
            supervisor = connection.status()["supervisor_cpu_s"]
        if settings.with_peers:
            started = time.perf_counter()
            recipe = PoolRecipe(y, x, workers)
            try:
                recipe.map()
                peer_s["pool_whole"].append(time.perf_counter() - started)
                peer_s["pool_warm_map"].append(timed(recipe.map)[0])
            finally:
                recipe.close()
    return {**summary(seconds, limit_s * 2, STORE_LIMIT, peer_s), "cold_seconds": statistics.median(cold),
            "bytes_written": 8 * rows * columns, "gb_per_s": 8e-9 * rows * columns / statistics.median(seconds),
            "workers": workers, "supervisor_cpu_s": supervisor}


ALL = {"map_tiles": map_tiles}
VOLUME_BYTES = {"map_tiles": 4_100_000_000}
