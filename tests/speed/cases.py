"""The cases: what slabd computes, the limit it is held against, and who else computes the same."""

import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import threading
import time

import numpy as np

import element_cases
import guest_cases
import limits
import peers
import motion_cases
import plugin_cases
import product_cases
import resampling_cases
import window_cases
from measuring import Peer, Settings, compute_record, fresh, kept_result, summary, warm, worker_count  # noqa: F401
from speed_daemon import PATIENCE_S, running_daemon, volume_bytes_for

WRITE_LIMIT = "O_DIRECT writes of the same bytes, one after the other"
RING_LIMIT = "reserving and writing the same bytes with io_uring and O_DIRECT alone"
WAKE_LIMIT = "three round trips over a socketpair, the wake-ups of one job"


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


# -------------------------------------------------------------------------------------------------------- stream

# Where the box of ones of mouse_scan lies along each axis.
BOX = ((50, 600), (200, 1000), (5, 30))
STREAM_COUNTS = {(4, "round"): 696_960_000, (4, "scipy"): 704_760_200}  # as numpy and scipy count whole arrays


def ones_of_zoom(shape, box, factor, convention):
    """How many ones the zoom of a box has: along each axis those indices whose source lies in the box."""
    total = 1
    for n, (begin, end) in zip(shape, box):
        k = np.arange(n * factor)
        source = (np.minimum(np.rint(k / factor), n - 1) if convention == "round"
                  else np.floor(k * (n - 1) / (n * factor - 1) + 0.5))
        total *= int(np.count_nonzero((source >= begin) & (source < end)))
    return total


def ones_in_file(path, payload_bytes):
    with open(path, "rb") as file:
        file.seek(-payload_bytes, os.SEEK_END)
        return sum(int(np.count_nonzero(np.frombuffer(piece, bool))) for piece in iter(lambda: file.read(64 << 20), b""))


class MemoryWatch:
    """The most memory that a daemon's processes and its volume had at one time, looked at every 20 ms.

    Of each process its proportional share of private and file memory; the volume counts once, by what the segment
    holds, as whoever maps it.
    """

    def __init__(self, daemon_pid, instance):
        self.daemon_pid, self.segment = daemon_pid, f"/dev/shm/slabd.{instance}"
        self.most_bytes = self.most_segment_bytes = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def _watch(self):
        while not self.ended.wait(0.02):
            segment = os.stat(self.segment).st_blocks * 512
            processes = [self.daemon_pid, *self._children()]
            self.most_segment_bytes = max(self.most_segment_bytes, segment)
            self.most_bytes = max(self.most_bytes, segment + sum(map(self._own_bytes, processes)))

    def _children(self):
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{self.daemon_pid}/task"):
                yield from map(int, pathlib.Path(f"/proc/{self.daemon_pid}/task/{thread}/children").read_text().split())

    @staticmethod
    def _own_bytes(pid):
        try:
            lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            return 0  # it has ended
        return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:", "Pss_File:")))


def stream_size(settings):
    """Factor and volume. The headline case where the disk has room for it."""
    if settings.quick:
        return 2, 8 << 20
    needed_bytes = (34_359_738_368 + (1 << 29)) * 1.05
    has_room = shutil.disk_usage(settings.directory).free > needed_bytes
    return (4, 1 << 30) if has_room and not settings.small_stream else (2, 256 << 20)


def stream(settings):
    """From a file to a file, through a volume that is much smaller than both."""
    factor, volume_bytes = stream_size(settings)
    array = mouse_scan(settings.quick)
    scale = 8 if settings.quick else 1
    box = [(begin // scale, end // scale) for begin, end in BOX]
    source = scan_file(settings, array)
    target = settings.directory / "streamed.npy"
    written_bytes = factor**3 * array.nbytes
    reports, limit_s, most_bytes, counts = {"cold": [], "round": [], "scipy": []}, [], 0, {}
    conventions = {"round": {"convention": "round"}, "scipy": {"convention": "scipy", "order": 0}}

    def run(connection, name, convention):
        nonlocal most_bytes
        with MemoryWatch(connection.status()["pid"], connection.status()["instance"]) as memory:
            job = connection.submit("zoom", source, out=str(target), factor=factor, **conventions[convention])
            reports[name].append(job.wait(10 * PATIENCE_S))
        most_bytes = max(most_bytes, memory.most_bytes)
        if convention not in counts:
            counts[convention] = ones_in_file(target, written_bytes)
            expected = {ones_of_zoom(array.shape, box, factor, convention),
                        STREAM_COUNTS.get((factor if scale == 1 else 0, convention), counts[convention])}
            if expected != {counts[convention]}:
                raise SystemExit(f"{convention}: {counts[convention]} ones in the file, {expected} are right")
        target.unlink()

    with running_daemon(settings, volume_bytes - (2 << 20), warm=False) as (connection, _):
        run(connection, "cold", "round")
    with running_daemon(settings, volume_bytes - (2 << 20)) as (connection, _):
        for _ in range(min(settings.repetitions, 3)):
            limit_s.append(limits.ring_write_seconds(settings, settings.directory / "limit", written_bytes))
            run(connection, "round", "round")
        run(connection, "scipy", "scipy")
    seconds = [report["wall_s"] for report in reports["round"]]
    first = reports["round"][0]
    return {**summary(seconds, limit_s, RING_LIMIT, {}), "wall_s": statistics.median(seconds),
            "cold_wall_s": reports["cold"][0]["wall_s"], "scipy_wall_s": reports["scipy"][0]["wall_s"],
            "bytes_read": first["bytes_in"], "bytes_written": first["bytes_out"], "factor": factor, "ones": counts,
            "gb_per_s": written_bytes / statistics.median(seconds) * 1e-9, "bands": first["bands"],
            "volume_bytes": volume_bytes, "most_memory_bytes": most_bytes, "peak_volume_bytes": first["peak_volume_bytes"],
            "load_s": first["load_s"], "compute_s": first["compute_s"], "flush_s": first["flush_s"],
            "method": first["flush_method"]}


ALL = {"zoom_nearest": zoom_nearest, "zoom_nearest_scipy": zoom_nearest_scipy, "outer": outer,
       "submit_latency": submit_latency, "flush": flush, "stream": stream, **resampling_cases.ALL,
       **window_cases.ALL, **element_cases.ALL, **product_cases.ALL, **motion_cases.ALL, **plugin_cases.ALL,
       **guest_cases.ALL}


def memory_needed(name, quick):
    """Bytes of all memory and of /dev/shm: the volume, and beside it the store limit or one peer's arrays at a time."""
    special = {"outer": 4_100_000_000, "submit_latency": 300_000_000, "stream": 1_100_000_000,
               **resampling_cases.VOLUME_BYTES, **window_cases.VOLUME_BYTES, **element_cases.VOLUME_BYTES,
               **product_cases.VOLUME_BYTES, **motion_cases.VOLUME_BYTES, **plugin_cases.VOLUME_BYTES,
               **guest_cases.VOLUME_BYTES}
    volume = special.get(name, 4_900_000_000) // (64 if quick else 1)
    shared = 2 * volume if name == "outer" else volume  # the pool's array is in /dev/shm too
    return {"volume": shared, "all": 2 * volume + (1 << 30)}
