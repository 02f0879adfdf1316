"""The cases of windows: means and Gaussians of large pictures and volumes."""

import concurrent.futures
import contextlib
import os

import numpy as np
import scipy.ndimage

from measuring import SLOW_PEER_REPETITIONS, Peer, compute_record, fresh, kept_result, warm, worker_count
from resampling_cases import random_floats
from resampling_peers import cv2
from speed_daemon import running_daemon, volume_bytes_for

FLOAT32_TOLERANCE = 5e-6  # of the largest magnitude
LARGE_BYTES = 256 << 20   # scipy takes ten seconds and more


def window_record(settings, kernel, array, rivals, workspaces=0, **parameters):
    path = settings.directory / "window.npy"
    np.save(path, array)
    volume = volume_bytes_for(array.nbytes, array.nbytes, *[array.nbytes] * workspaces, 16 << 20)
    with running_daemon(settings, volume) as (connection, _):
        workers = worker_count(connection)
        if cv2 is not None:
            cv2.setNumThreads(workers)
        return compute_record(settings, lambda: kept_result(connection, kernel, str(path), **parameters), array.nbytes,
                              workers, rivals if settings.with_peers else {}, read_bytes=array.nbytes)


def scipy_uniform(array, size):
    return scipy.ndimage.uniform_filter(array, size)


def scipy_gaussian(array, sigma):
    return scipy.ndimage.gaussian_filter(array, sigma)


def opencv_uniform(array, size, out=None):
    return cv2.blur(array, (size, size), dst=out, borderType=cv2.BORDER_REFLECT)


def opencv_gaussian(array, sigma, out=None):
    width = 2 * int(4 * sigma + 0.5) + 1
    return cv2.GaussianBlur(array, (width, width), sigma, dst=out, borderType=cv2.BORDER_REFLECT)


@contextlib.contextmanager
def copied_by_threads(array):
    """memcpy into warm memory, a part of the array a thread, as many as CPUs."""
    out = np.ones_like(array)
    threads = len(os.sched_getaffinity(0))
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        parts = list(zip(np.array_split(out, threads), np.array_split(array, threads)))
        yield lambda: list(pool.map(lambda pair: np.copyto(*pair), parts))


def rivals_of(scipys, opencvs, array, value):
    scipy_repetitions = 1 if array.nbytes > LARGE_BYTES else SLOW_PEER_REPETITIONS
    rivals = {"memcpy_warm": Peer(lambda: copied_by_threads(array), same_result=False),
              "scipy": fresh(scipys, array, value, tolerance=FLOAT32_TOLERANCE, most_repetitions=scipy_repetitions)}
    if cv2 is None:
        return rivals, {"left_out": {"opencv": "python3-opencv is not installed"}}
    if array.ndim == 2:
        rivals["opencv"] = fresh(opencvs, array, value, tolerance=FLOAT32_TOLERANCE)
        peer = warm(lambda a, out: opencvs(a, value, out), array.shape, array.dtype, array)
        rivals["opencv_warm"] = Peer(peer.prepare, tolerance=FLOAT32_TOLERANCE)
    return rivals, {}


def picture(settings):
    return random_floats((512 if settings.quick else 16384,) * 2)


def uniform_2d(settings):
    array = picture(settings)
    for size in (3, 31):
        rivals, missing = rivals_of(scipy_uniform, opencv_uniform, array, size)
        yield {"case": f"uniform_2d {size}x{size}", **window_record(settings, "uniform", array, rivals, size=size), **missing}


def gaussian_2d(settings):
    array = picture(settings)
    rivals, missing = rivals_of(scipy_gaussian, opencv_gaussian, array, 2.0)
    return {**window_record(settings, "gaussian", array, rivals, sigma=2), **missing}


def gaussian_3d(settings):
    array = random_floats((32 if settings.quick else 256,) * 3)
    rivals, _ = rivals_of(scipy_gaussian, opencv_gaussian, array, 2.0)
    return window_record(settings, "gaussian", array, rivals, sigma=2)


ALL = {"uniform_2d": uniform_2d, "gaussian_2d": gaussian_2d, "gaussian_3d": gaussian_3d}
VOLUME_BYTES = {"uniform_2d": 2_300_000_000, "gaussian_2d": 2_300_000_000, "gaussian_3d": 200_000_000}
