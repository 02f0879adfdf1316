"""OpenBLAS as a peer: on CPUs newer than itself it falls back to its slowest kernels, in numpy as anywhere; slabd tells it
better (daemon/kernels/matmul/blas_library.cpp), so the peer is told, too. Import this before numpy."""

import os
import pathlib


def tell_core_type():
    flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split("flags", 2)
    flags = set(flags[1].split("\n")[0].split()) if len(flags) > 1 else set()
    for core, needed in (("SkylakeX", {"avx512f", "avx512bw", "avx512dq", "avx512vl"}), ("Haswell", {"avx2", "fma"})):
        if needed <= flags:
            os.environ.setdefault("OPENBLAS_CORETYPE", core)
            return


def is_threaded():
    """Whether the OpenBLAS that numpy has loaded uses threads."""
    mapped = pathlib.Path("/proc/self/maps").read_text(encoding="utf-8")
    return any(name in mapped for name in ("openblas-pthread", "openblas-openmp"))


tell_core_type()
