"""The cases of medians, matrix products and Fourier transforms."""

import numpy as np
import scipy.fft
import scipy.ndimage

import fair_openblas
from element_cases import saved
from measuring import compute_record, fresh, kept_result, warm, worker_count
from resampling_peers import cv2
from speed_daemon import running_daemon, volume_bytes_for

PRODUCT_TOLERANCE = {"f4": 1e-5, "f8": 1e-13}


def record_of(settings, kernel, arrays, written_bytes, rivals_of, workspaces=0, **parameters):
    """rivals_of(workers): the peers, once it is known how many threads they may have."""
    paths = [saved(settings, f"in{number}.npy", array) for number, array in enumerate(arrays)]
    read_bytes = sum(array.nbytes for array in arrays)
    volume = volume_bytes_for(*(array.nbytes for array in arrays), written_bytes, *[written_bytes] * workspaces, 64 << 20)
    with running_daemon(settings, volume) as (connection, _):
        workers = worker_count(connection)
        rivals = rivals_of(workers) if settings.with_peers else {}
        return compute_record(settings, lambda: kept_result(connection, kernel, *paths, **parameters), written_bytes,
                              workers, rivals, read_bytes=read_bytes)


def median(settings):
    side = 512 if settings.quick else 4096
    for dtype in ("u1", "f4"):
        array = (np.random.default_rng(1).random((side, side)) * 255).astype(dtype)

        def rivals_of(workers, array=array):
            rivals = {"scipy": fresh(scipy.ndimage.median_filter, array, 3, most_repetitions=1)}
            if cv2 is not None:
                cv2.setNumThreads(workers)
                # Its border is another: not compared.
                rivals["opencv_warm"] = warm(lambda a, out: cv2.medianBlur(a, 3, dst=out), array.shape, array.dtype, array)
                rivals["opencv_warm"].same_result = False
            return rivals
        missing = {} if cv2 is not None else {"left_out": {"opencv": "python3-opencv is not installed"}}
        yield {"case": f"median 3x3 {dtype}", **record_of(settings, "median", [array], array.nbytes, rivals_of, size=3),
               **missing}


def matmul(settings):
    """The peer is one call of OpenBLAS in as many threads, by numpy: the limit of what can be reached."""
    missing = {}
    if not fair_openblas.is_threaded():
        missing = {"left_out": {"openblas": "numpy's BLAS has no threads here: install libopenblas0-pthread"}}
    side = 256 if settings.quick else 4096
    for dtype in ("f4", "f8"):
        random = np.random.default_rng(1)
        a, b = (random.standard_normal((side, side)).astype(dtype) for _ in range(2))

        def rivals_of(workers, a=a, b=b, dtype=dtype):
            del workers  # OPENBLAS_NUM_THREADS, before numpy was loaded; else all CPUs
            if missing:
                return {}
            rival = warm(lambda x, y, out: np.matmul(x, y, out=out), a.shape, a.dtype, a, b)
            rival.tolerance = PRODUCT_TOLERANCE[dtype]
            return {"openblas_warm": rival}
        yield {"case": f"matmul {dtype}", "flop": 2 * side**3,
               **record_of(settings, "matmul", [a, b], a.nbytes, rivals_of), **missing}


def fft(settings):
    for shape in ((256, 256) if settings.quick else (4096, 4096), (32,) * 3 if settings.quick else (256,) * 3):
        random = np.random.default_rng(1)
        array = (random.standard_normal(shape) + 1j * random.standard_normal(shape)).astype(np.complex64)

        def rivals_of(workers, array=array):
            def transform(a):
                return scipy.fft.fftn(a, workers=workers)
            return {"scipy": fresh(transform, array, tolerance=1e-5)}
        yield {"case": f"fft of {len(shape)} axes", **record_of(settings, "fft", [array], array.nbytes, rivals_of,
                                                             workspaces=2, axes=list(range(len(shape))))}


ALL = {"median": median, "matmul": matmul, "fft": fft}
VOLUME_BYTES = {"median": 200_000_000, "matmul": 500_000_000, "fft": 700_000_000}
