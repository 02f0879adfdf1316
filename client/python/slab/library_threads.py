"""Threads that libraries would start on their own: off in guests, of which there is one for each CPU."""

import ctypes
import os

_SETTERS = ("openblas_set_num_threads", "openblas_set_num_threads64_", "scipy_openblas_set_num_threads",
            "scipy_openblas_set_num_threads64_", "MKL_Set_Num_Threads", "bli_thread_set_num_threads")
_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def thread_setters():
    """Functions of the libraries of linear algebra that this process has loaded: each takes a number of threads."""
    with open("/proc/self/maps") as maps:
        paths = {line.split(maxsplit=5)[5].strip() for line in maps if ".so" in line}
    setters = []
    for path in paths:
        if not any(word in os.path.basename(path) for word in ("blas", "mkl_rt", "blis")):
            continue
        try:
            library = ctypes.CDLL(path)
        except OSError:  # replaced on disk since it was loaded
            continue
        setters += [getattr(library, name) for name in _SETTERS if hasattr(library, name)]
    return setters


def turn_off_library_threads(setters):
    """In a forked process: of the libraries that it has inherited, and of those that it will load."""
    for variable in _VARIABLES:
        os.environ[variable] = "1"
    for setter in setters:
        setter(1)
