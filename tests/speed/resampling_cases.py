"""The cases of resampling: zoom of every order, reslice of a series, and what volresample publishes of itself."""

import itertools
import statistics

import numpy as np

import resampling_peers as peers
import rigid_motion
from measuring import Peer, compute_record, fresh, kept_result, measure, summary, warm, worker_count  # noqa: F401
from speed_daemon import run_kept_job, running_daemon, volume_bytes_for

FLOAT32_TOLERANCE = 5e-6  # of the largest magnitude: both sides may be 2e-6 of the range from the truth


def random_floats(shape):
    return np.random.default_rng(1).standard_normal(shape, np.float32)


def zoom_record(settings, array, written_bytes, rivals=None, read_bytes=0, rows=(), workspaces=0, kernel="zoom",
                **parameters):
    """workspaces: copies of the input that the volume must have room for beside it, for the coefficients of splines."""
    path = settings.directory / "resampled.npy"
    np.save(path, array)
    volume = volume_bytes_for(array.nbytes, written_bytes, *[2 * array.nbytes] * workspaces, 16 << 20)
    with running_daemon(settings, volume) as (connection, _):
        workers = worker_count(connection)
        if peers.cv2 is not None:
            peers.cv2.setNumThreads(workers)
        return compute_record(settings, lambda: kept_result(connection, kernel, str(path), **parameters), written_bytes,
                              workers, rivals or {} if settings.with_peers else {}, read_bytes, rows)


# ------------------------------------------------------------------------------------------------- zoom x2 in 3-D

def zoom_doubled(settings, order):
    array = random_floats((32 if settings.quick else 256,) * 3)
    rivals = {"scipy": fresh(peers.scipy_zoom, array, order, 2, tolerance=FLOAT32_TOLERANCE, most_repetitions=1)}
    return zoom_record(settings, array, 8 * array.nbytes, rivals, workspaces=3 if order > 1 else 0, factor=2, order=order)


def zoom_linear(settings):
    return zoom_doubled(settings, 1)


def zoom_cubic(settings):
    return zoom_doubled(settings, 3)


# ----------------------------------------------------------------------------------------------- nearest neighbour

def bytes_that_must_be_read(shape, out_shape, item_bytes):
    """A row of the output shows one row of the input: of those, every line of the cache."""
    rows = np.prod([min(n_in, n_out) for n_in, n_out in zip(shape[:-1], out_shape[:-1])])
    return int(rows) * shape[-1] * item_bytes


def zoom_nearest_types(settings):
    larger_bytes = (512 << 20) // (512 if settings.quick else 1)
    for dtype, factor in itertools.product(("u1", "u2", "f4", "f8"), (2, 1.5, 0.5)):
        item_bytes = np.dtype(dtype).itemsize
        side = round((larger_bytes / item_bytes / max(factor, 1) ** 3) ** (1 / 3))
        shape, out_shape = (side,) * 3, (round(side * factor),) * 3
        array = np.random.default_rng(1).integers(0, 200, shape, np.uint8).astype(dtype)
        row_bytes = shape[-1] * item_bytes
        rows = (row_bytes, round(row_bytes / factor)) if factor < 1 else ()
        record = zoom_record(settings, array, int(np.prod(out_shape)) * item_bytes, rows=rows,
                             read_bytes=bytes_that_must_be_read(shape, out_shape, item_bytes), factor=factor, order=0)
        yield {"case": f"zoom_nearest_types {dtype} x{factor:g}", **record}


# ------------------------------------------------------------------------------------------------------ zoom in 2-D

def zoom_2d(settings):
    side = 512 if settings.quick else 8192
    array = random_floats((side, side))
    for order in (0, 1, 3):
        rivals, missing = {}, {}
        if peers.cv2 is None:
            missing = {"left_out": {"opencv": "python3-opencv is not installed"}}
        else:
            # Its cubic is Keys' kernel, not a spline.
            options = {"same_result": order < 3, "tolerance": FLOAT32_TOLERANCE}
            rivals["opencv"] = fresh(lambda a, o=order: peers.opencv_resize(a, o), array, **options)
            rivals["opencv_warm"] = opencv_warm(array, order, options)
        record = zoom_record(settings, array, 4 * array.nbytes, rivals, workspaces=2 if order > 1 else 0, factor=2,
                             order=order, convention="scipy-grid", mode="nearest")
        yield {"case": f"zoom_2d order {order}", **record, **missing}


def opencv_warm(array, order, options):
    doubled = tuple(2 * n for n in array.shape)
    peer = warm(lambda a, out: peers.opencv_resize(a, order, out), doubled, np.float32, array)
    return Peer(peer.prepare, **options)


# ------------------------------------------------------------------------------------- a series of 2-D in five axes

TEN_PLANES = "ten zooms of one plane each by slabd"


def zoom_series(settings):
    side = 100 if settings.quick else 1000
    array = random_floats((1, 1, 10, side, side))
    path, plane_path = settings.directory / "series.npy", settings.directory / "plane.npy"
    np.save(path, array)
    np.save(plane_path, array[0, 0, 0])
    rivals = {"scipy_of_planes": fresh(peers.scipy_zoom_of_planes, array, 3, tolerance=FLOAT32_TOLERANCE,
                                       most_repetitions=1)} if settings.with_peers else {}
    volume = volume_bytes_for(array.nbytes, 4 * array.nbytes, *[2 * array.nbytes] * 3, 64 << 20)
    with running_daemon(settings, volume) as (connection, _):
        def ten_planes():
            total = 0.0
            for _ in range(10):
                job, report, _ = run_kept_job(connection, "zoom", str(plane_path), factor=2, order=3)
                job.drop()
                total += report["compute_s"]
            return total
        workers = worker_count(connection)
        reports, supervisor_s, limit_s, peer_s = measure(
            settings, lambda: kept_result(connection, "zoom", str(path), factor=[1, 1, 1, 2, 2], order=3), ten_planes, rivals)
    seconds = [report["compute_s"] for report in reports]
    return {**summary(seconds, limit_s, TEN_PLANES, peer_s), "bytes_read": reports[0]["bytes_in"],
            "bytes_written": reports[0]["bytes_out"], "wall_s": statistics.median(r["wall_s"] for r in reports),
            "supervisor_cpu_share": sum(supervisor_s) / (workers * sum(seconds)), "workers": workers,
            "simd": reports[0]["simd"]}


# ---------------------------------------------------------------------------------------------------------- reslice

def small_motions(count):
    """As of a head: half a voxel, half a degree."""
    rng = np.random.default_rng(2)
    return np.hstack([rng.uniform(-0.5, 0.5, (count, 3)), rng.uniform(-0.01, 0.01, (count, 3))])


def reslice(settings, order):
    count, shape = (6, (12, 24, 24)) if settings.quick else (100, (60, 96, 96))
    frames, rows = random_floats((count, *shape)), small_motions(count)
    pull_backs = np.stack([rigid_motion.pull_back(rigid_motion.spm(row), np.eye(4)) for row in rows])
    rivals = {"scipy": fresh(peers.scipy_reslice, frames, pull_backs, order, same_result=False, most_repetitions=1)}
    if order == 1:
        peers.compile_reslice()
        rivals["numba"] = fresh(peers.numba_reslice, frames, pull_backs, tolerance=FLOAT32_TOLERANCE)
        rivals["numba_warm"] = Peer(warm(peers.numba_reslice, frames.shape, np.float32, frames, pull_backs).prepare,
                                    tolerance=FLOAT32_TOLERANCE)
    return zoom_record(settings, frames, frames.nbytes, rivals, read_bytes=frames.nbytes, workspaces=3 if order > 1 else 0,
                       kernel="reslice", transforms=rows.tolist(), convention="spm", order=str(order), batch="first")


def reslice_linear(settings):
    return reslice(settings, 1)


def reslice_cubic(settings):
    return reslice(settings, 3)


# ------------------------------------------------------------------------------------------------------ volresample

# (name, order, input's side, output's side, convention, the authors' figures). Its README of 2026-09 and an earlier one.
NEWER, EARLIER = "Intel i5-14600K, 4 threads on performance cores", "4 threads of a laptop, an earlier version"
VOLRESAMPLE = (("nearest", 0, 128, 64, "scipy-grid", {NEWER: "0.031 ms", EARLIER: "0.41 ms"}),
               ("linear", 1, 128, 64, "scipy-grid", {NEWER: "0.137 ms", EARLIER: "2.33 ms"}),
               ("cubic", 3, 128, 64, "scipy-grid", {NEWER: "10.995 ms", EARLIER: "63.7 ms"}),
               ("linear, corners aligned", 1, 96, 144, "scipy", {NEWER: "1.420 ms"}))


def volresample(settings):
    for name, order, n_in, n_out, convention, published in VOLRESAMPLE:
        array = random_floats((n_in,) * 3)
        read_bytes = bytes_that_must_be_read(array.shape, (n_out,) * 3, 4) if order == 0 else array.nbytes
        record = zoom_record(settings, array, 4 * n_out**3, read_bytes=read_bytes, workspaces=3 if order > 1 else 0,
                             shape=[n_out] * 3, order=order, convention=convention, mode="reflect")
        yield {"case": f"volresample {name} {n_in} to {n_out}", **record, "published_by_volresample": published}


ALL = {"zoom_linear": zoom_linear, "zoom_cubic": zoom_cubic, "zoom_nearest_types": zoom_nearest_types, "zoom_2d": zoom_2d,
       "zoom_series": zoom_series, "reslice_linear": reslice_linear, "reslice_cubic": reslice_cubic,
       "volresample": volresample}

VOLUME_BYTES = {"zoom_linear": 640_000_000, "zoom_cubic": 1_100_000_000, "zoom_nearest_types": 1_200_000_000,
                "zoom_2d": 2_500_000_000, "zoom_series": 600_000_000, "reslice_linear": 500_000_000,
                "reslice_cubic": 1_900_000_000, "volresample": 200_000_000}
