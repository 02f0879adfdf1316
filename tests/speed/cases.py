"""The cases: what slabd computes, the limit it is held against, and who else computes the same."""

import contextlib
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import time

import numpy as np

import limits
import peers
from speed_daemon import PATIENCE_S, run_kept_job, running_daemon, volume_bytes_for

STORE_LIMIT = "streaming stores of the same bytes by as many processes"
WRITE_LIMIT = "O_DIRECT writes of the same bytes, one after the other"
WAKE_LIMIT = "three round trips over a socketpair, the wake-ups of one job"
SLOW_PEER_REPETITIONS = 3


@dataclasses.dataclass
class Settings:
    build: pathlib.Path
    directory: pathlib.Path
    repetitions: int
    quick: bool
    with_peers: bool


@dataclasses.dataclass
class Peer:
    prepare: callable             # a context in which the clock does not run yet; it yields what computes the case
    same_result: bool = True      # whether its result has to equal slabd's, element by element
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
            if maybe_expected is not None and peer.same_result and not np.array_equal(result, maybe_expected):
                raise SystemExit(f"{name} and slabd differ: one of them is wrong, the times mean nothing")
            del result, compute


@contextlib.contextmanager
def kept_result(connection, kernel, *inputs, **parameters):
    job, report, supervisor_s = run_kept_job(connection, kernel, *inputs, **parameters)
    try:
        yield job, report, supervisor_s
    finally:
        job.drop()


def compute_record(settings, job, written_bytes, workers, rivals):
    """The record of a case whose compute time is held against streaming stores."""
    reports, supervisor_s, limit_s, peer_s = measure(
        settings, job, lambda: limits.store_seconds(settings, written_bytes, workers), rivals)
    seconds = [report["compute_s"] for report in reports]
    return {**summary(seconds, limit_s, STORE_LIMIT, peer_s),
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


# ---------------------------------------------------------------------------------------------------------- zoom

def mouse_scan(quick):
    """The owner's case: a box of ones in a bool array of (1024, 1024, 512)."""
    scale = 8 if quick else 1
    array = np.zeros((1024 // scale, 1024 // scale, 512 // scale), bool)
    array[50 // scale:600 // scale, 200 // scale:1000 // scale, 5 // scale:30 // scale] = True
    return array


def scan_file(settings, array):
    path = settings.directory / "scan.npy"
    np.save(path, array)
    return str(path)


def zoom_record(settings, array, rivals, **parameters):
    path = scan_file(settings, array)
    written_bytes = 8 * array.nbytes
    with running_daemon(settings, volume_bytes_for(array.nbytes, written_bytes)) as (connection, _):
        return compute_record(settings, lambda: kept_result(connection, "zoom", path, factor=2, **parameters),
                              written_bytes, worker_count(connection), rivals if settings.with_peers else {})


def zoom_nearest(settings):
    array = mouse_scan(settings.quick)
    peers.compile_numba()
    doubled = tuple(2 * n for n in array.shape)
    rivals = {"numpy": fresh(peers.numpy_zoom, array),
              "numba": fresh(peers.numba_zoom, array),
              "numba_warm": warm(peers.numba_zoom, doubled, bool, array),
              "scipy": fresh(peers.scipy_zoom, array, same_result=False, most_repetitions=1)}
    return zoom_record(settings, array, rivals, convention="round")


def zoom_nearest_scipy(settings):
    array = mouse_scan(settings.quick)
    rivals = {"scipy": fresh(peers.scipy_zoom, array, most_repetitions=1)}
    return zoom_record(settings, array, rivals, convention="scipy", order=0)


# --------------------------------------------------------------------------------------------------------- outer

def outer_inputs(quick):
    generator = np.random.default_rng(1)
    return (generator.standard_normal(5_000 if quick else 50_000), generator.standard_normal(1_000 if quick else 10_000))


def pool_outer(y, x, workers):
    @contextlib.contextmanager
    def prepare():
        pool = peers.PoolOuter(y, x, workers)
        try:
            pool()  # touches the memory for the first time
            yield pool
        finally:
            pool.close()
    return Peer(prepare, same_result=False)  # its result is in the pool's memory


def outer(settings):
    y, x = outer_inputs(settings.quick)
    written_bytes = 8 * len(y) * len(x)
    shape = (len(y), len(x))
    peers.compile_numba()
    with running_daemon(settings, volume_bytes_for(y.nbytes, x.nbytes, written_bytes)) as (connection, _):
        workers = worker_count(connection)
        rivals = {"numpy": fresh(peers.numpy_outer, y, x),
                  "numpy_warm": warm(peers.numpy_outer_warm, shape, float, y, x),
                  "numba": fresh(peers.numba_outer, y, x),
                  "numba_warm": warm(peers.numba_outer, shape, float, y, x),
                  "multiprocessing_warm": pool_outer(y, x, workers)}
        return compute_record(settings, lambda: kept_result(connection, "outer", y, x), written_bytes, workers,
                              rivals if settings.with_peers else {})


# ------------------------------------------------------------------------------------------------ submit_latency

def small_call_seconds(compute, repetitions):
    array = np.arange(1024, dtype=np.uint8).reshape(32, 32)
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        compute(array)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def small_job_peers(settings, jobs):
    if not settings.with_peers:
        return {}
    pool = peers.PoolSmallZoom()
    try:
        return {"numpy": small_call_seconds(peers.numpy_zoom, jobs), "scipy": small_call_seconds(peers.scipy_zoom, jobs),
                "multiprocessing_warm": small_call_seconds(pool, jobs)}
    finally:
        pool.close()


def submit_latency(settings):
    jobs = 200 if settings.quick else 2000
    runs, peer_s = [], {}
    with running_daemon(settings, 256 << 20) as (connection, socket):
        for _ in range(settings.repetitions):
            before = connection.status()["supervisor_cpu_s"]
            answer = subprocess.run([settings.build / "tests/speed/submit_latency", socket, str(jobs)],
                                    stdout=subprocess.PIPE, check=True)
            runs.append(json.loads(answer.stdout) | {
                "supervisor_us_a_job": (connection.status()["supervisor_cpu_s"] - before) / jobs * 1e6})
            for name, seconds in small_job_peers(settings, jobs).items():
                peer_s.setdefault(name, []).append(seconds)
    middle = sorted(runs, key=lambda run: run["submit_to_done_us"]["median"])[len(runs) // 2]
    record = summary([run["submit_to_done_us"]["median"] * 1e-6 for run in runs],
                     [run["limit_us"] * 1e-6 for run in runs], WAKE_LIMIT, peer_s)
    return {**record, "wall_s": record["seconds"], "bytes_read": middle["bytes_in"], "bytes_written": middle["bytes_out"],
            "target_seconds": 300e-6, "distribution": middle}


# --------------------------------------------------------------------------------------------------------- flush

def written_report(connection, source, target):
    job = connection.submit("zoom", source, out=target, factor=2, convention="round")
    report = job.wait(PATIENCE_S)
    pathlib.Path(target).unlink()
    return report


def buffered_write_seconds(path, array):
    start = time.perf_counter()
    with open(path, "wb") as file:
        array.tofile(file)
        file.flush()
        os.fdatasync(file.fileno())
    seconds = time.perf_counter() - start
    path.unlink()
    return seconds


def flush(settings):
    array = mouse_scan(settings.quick)
    source = scan_file(settings, array)
    target = settings.directory / "zoomed.npy"
    written_bytes = 8 * array.nbytes
    reports, limit_s, peer_s = [], [], {}
    with running_daemon(settings, volume_bytes_for(array.nbytes, written_bytes)) as (connection, _):
        for _ in range(settings.repetitions):
            limit_s.append(limits.direct_write_seconds(settings.directory / "limit", written_bytes))
            reports.append(written_report(connection, source, target))
    if settings.with_peers:
        peer_s["numpy_tofile"] = [buffered_write_seconds(settings.directory / "buffered",
                                                         np.ones(written_bytes, np.uint8))]
    seconds = [report["flush_s"] for report in reports]
    return {**summary(seconds, limit_s, WRITE_LIMIT, peer_s),
            "wall_s": statistics.median(report["wall_s"] for report in reports),
            "bytes_read": reports[0]["bytes_out"], "bytes_written": reports[0]["bytes_out"],
            "gb_per_s": written_bytes / statistics.median(seconds) * 1e-9, "method": reports[0]["flush_method"]}


ALL = {"zoom_nearest": zoom_nearest, "zoom_nearest_scipy": zoom_nearest_scipy, "outer": outer,
       "submit_latency": submit_latency, "flush": flush}


def memory_needed(name, quick):
    """Bytes of all memory and of /dev/shm: the volume, and beside it the store limit or one peer's arrays at a time."""
    volume = {"outer": 4_100_000_000, "submit_latency": 300_000_000}.get(name, 4_900_000_000) // (64 if quick else 1)
    shared = 2 * volume if name == "outer" else volume  # the pool's array is in /dev/shm too
    return {"volume": shared, "all": 2 * volume + (1 << 30)}
