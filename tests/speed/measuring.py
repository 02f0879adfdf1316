"""How a case is measured: limit, slabd and the others in turn; and the record of it."""

import contextlib
import dataclasses
import pathlib
import statistics
import time

import numpy as np

import limits
import peers
from speed_daemon import run_kept_job

STORE_LIMIT = "streaming stores of the same bytes by as many processes"
COPY_LIMIT = "streaming reads and stores of the same bytes by as many processes"
SLOW_PEER_REPETITIONS = 3


@dataclasses.dataclass
class Settings:
    build: pathlib.Path
    directory: pathlib.Path
    repetitions: int
    quick: bool
    with_peers: bool
    small_stream: bool = False  # zoom x2 in the case `stream`, whatever the disk has room for


@dataclasses.dataclass
class Peer:
    prepare: callable             # a context in which the clock does not run yet; it yields what computes the case
    same_result: bool = True      # whether its result has to equal slabd's, element by element
    tolerance: float = 0.0        # how far, as a share of the largest magnitude, it may be from that and still be equal
    most_repetitions: int = SLOW_PEER_REPETITIONS


def fresh(compute, *arrays, **options):
    return Peer(lambda: contextlib.nullcontext(lambda: compute(*arrays)), **options)


def warm(compute, shape, dtype, *arrays):
    @contextlib.contextmanager
    def prepare():
        out = np.ones(shape, dtype)
        yield lambda: compute(*arrays, out=out)
    return Peer(prepare)


# ----------------------------------------------------------------------------------------------------- measuring

def measure(settings, job, limit, rivals):
    """Limit, slabd and the others in turn, so that what else the machine does meets all of them alike.

    job() is a context with the kept job, its report and the supervisor's CPU seconds. No name may hold the result's
    array when it ends: the volume has room for one result, and a view of it keeps its memory.
    """
    reports, supervisor_s, limit_s = [], [], []
    peer_s = {name: [] for name in rivals}
    for repetition in range(settings.repetitions):
        limit_s.append(limit())
        with job() as (kept, report, cpu_s):
            reports.append(report)
            supervisor_s.append(cpu_s)
            if repetition == 0:  # the only round in which peers run beside a kept result: theirs is compared with it
                run_peers(rivals, peer_s, kept.result())
        if repetition > 0:
            run_peers({name: peer for name, peer in rivals.items() if repetition < peer.most_repetitions}, peer_s)
    return reports, supervisor_s, limit_s, peer_s


def run_peers(rivals, peer_s, maybe_expected=None):
    for name, peer in rivals.items():
        with peer.prepare() as compute:
            start = time.perf_counter()
            result = compute()
            peer_s[name].append(time.perf_counter() - start)
            if maybe_expected is not None and peer.same_result and not is_equal(result, maybe_expected, peer.tolerance):
                raise SystemExit(f"{name} and slabd differ: one of them is wrong, the times mean nothing")
            del result, compute


def is_equal(result, expected, tolerance):
    if tolerance == 0.0:
        return np.array_equal(result, expected)
    return result.shape == expected.shape and np.abs(result - expected).max() <= tolerance * np.abs(expected).max()


@contextlib.contextmanager
def kept_result(connection, kernel, *inputs, **parameters):
    job, report, supervisor_s = run_kept_job(connection, kernel, *inputs, **parameters)
    try:
        yield job, report, supervisor_s
    finally:
        job.drop()


def compute_record(settings, job, written_bytes, workers, rivals, read_bytes=0, rows=()):
    """The record of a case whose compute time is held against streaming stores; with read_bytes also against reading."""
    def limit():
        if read_bytes:
            return limits.copy_seconds(settings, read_bytes, written_bytes, workers, rows)
        return limits.store_seconds(settings, written_bytes, workers)
    reports, supervisor_s, limit_s, peer_s = measure(settings, job, limit, rivals)
    seconds = [report["compute_s"] for report in reports]
    return {**summary(seconds, limit_s, COPY_LIMIT if read_bytes else STORE_LIMIT, peer_s),
            "wall_s": statistics.median(report["wall_s"] for report in reports),
            "load_s": statistics.median(report["load_s"] for report in reports),
            "bytes_read": reports[0]["bytes_in"], "bytes_written": reports[0]["bytes_out"],
            "gb_per_s": reports[0]["bytes_out"] / statistics.median(seconds) * 1e-9,
            "supervisor_cpu_share": sum(supervisor_s) / (workers * sum(seconds)),
            "workers": workers, "simd": reports[0]["simd"]}


def summary(seconds, limit_s, limit, peer_s):
    medians = {name: statistics.median(values) for name, values in peer_s.items()}
    ours = statistics.median(seconds)
    return {"seconds": ours, "limit": limit, "limit_seconds": statistics.median(limit_s),
            "ratio_to_limit": statistics.median(mine / best for mine, best in zip(seconds, limit_s)),
            "peers": medians, "speedups": {name: value / ours for name, value in medians.items()},
            "all_seconds": seconds, "all_limit_seconds": limit_s}


def worker_count(connection):
    count = len(connection.status()["workers"])
    peers.use_threads(count)
    return count
