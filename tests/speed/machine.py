"""What the numbers of a run depend on: the machine, and what else it was doing."""

import os
import platform
import re

import numba
import numpy
import scipy


def description():
    return {"cpu": _cpu_model(), "cpus": os.cpu_count(), "memory_gib": round(_meminfo("MemTotal") / 2**30, 1),
            "kernel": platform.release(), "shmem_huge_pages": _chosen("/sys/kernel/mm/transparent_hugepage/shmem_enabled"),
            "python": platform.python_version(), "numpy": numpy.__version__, "scipy": scipy.__version__,
            "numba": numba.__version__}


def load():
    """Runnable processes, averaged over one minute. Part of it is this benchmark; above the CPUs' number, others are."""
    return round(os.getloadavg()[0], 2)


def memory_missing(needed_bytes):
    """Why a case that needs so much memory cannot run now; empty when it can."""
    free = _meminfo("MemAvailable")
    shared = os.statvfs("/dev/shm")
    shared_free = shared.f_bavail * shared.f_frsize
    if free < needed_bytes["all"]:
        return f"it needs {needed_bytes['all'] / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are available"
    if shared_free < needed_bytes["volume"]:
        return f"it needs {needed_bytes['volume'] / 1e9:.1f} GB of /dev/shm, {shared_free / 1e9:.1f} GB are free"
    return ""


def _cpu_model():
    with open("/proc/cpuinfo", encoding="ascii") as cpuinfo:
        found = re.search(r"^model name\s*: (.*)$", cpuinfo.read(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _meminfo(key):
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        return int(re.search(rf"^{key}:\s*(\d+) kB", meminfo.read(), re.MULTILINE)[1]) * 1024


def _chosen(path):
    """The word in brackets of a setting like "always [never] advise"."""
    try:
        with open(path, encoding="ascii") as setting:
            return re.search(r"\[(.*)\]", setting.read())[1]
    except OSError:
        return "unknown"
