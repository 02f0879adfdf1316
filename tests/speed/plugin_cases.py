"""What a plug-in costs beside the same function built in: one daemon has both, and they take turns."""

import pathlib
import statistics
import subprocess

import numpy as np

import limits
from element_cases import saved
from measuring import COPY_LIMIT, kept_result, summary, worker_count
from speed_daemon import running_daemon, volume_bytes_for

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
KERNELS = {"plug_in": "plug_rows", "built_in": "test_rows"}
SMALL_TILES = "32KiB"


def built_plugin(settings):
    """tests/plugins/rows.c, optimised as the test kernel is."""
    library = settings.directory / "rows.so"
    subprocess.run(["cc", "-std=c11", "-O3", "-fno-math-errno", "-shared", "-fPIC", "-I", REPOSITORY / "common/plugin",
                    "-o", library, REPOSITORY / "tests/plugins/rows.c", "-lm"], check=True)
    library.chmod(0o755)
    return library


def plugin_rows(settings):
    """sqrt(a) + a*a of float64, from memory to memory: tiles of 1 MiB, and so small ones that the way to them shows."""
    a = np.random.default_rng(1).random((64 if settings.quick else 4000, 20_000))
    path = saved(settings, "a.npy", a)
    program = settings.build / "tests/process/slabd_with_test_kernels"
    seconds = {name: [] for name in KERNELS}
    small = {name: [] for name in KERNELS}
    walls, limit_s, reports = [], [], []
    with running_daemon(settings, volume_bytes_for(a.nbytes, a.nbytes, 16 << 20), program=program,
                        plugins=[built_plugin(settings)]) as (connection, _):
        workers = worker_count(connection)
        for _ in range(settings.repetitions):
            limit_s.append(limits.copy_seconds(settings, a.nbytes, a.nbytes, workers))
            results = {}
            for name, kernel in KERNELS.items():
                for times, options in ((seconds, {}), (small, {"tile_bytes": SMALL_TILES})):
                    with kept_result(connection, kernel, path, **options) as (job, report, _):
                        times[name].append(report["compute_s"])
                        walls.append(report["wall_s"])
                        reports.append(report)
                        results[name] = job.result()[:8].copy()
            if not np.array_equal(results["plug_in"], results["built_in"]):
                raise SystemExit("the plug-in and the built-in kernel differ: the times mean nothing")
    return {**summary(seconds["plug_in"], limit_s, COPY_LIMIT, {"built_in": seconds["built_in"]}),
            "wall_s": statistics.median(walls), "bytes_read": a.nbytes, "bytes_written": a.nbytes,
            "gb_per_s": a.nbytes / statistics.median(seconds["plug_in"]) * 1e-9, "workers": workers,
            "small_tiles": reports[1]["tiles"],
            "small_tiles_seconds": {name: statistics.median(times) for name, times in small.items()}}


ALL = {"plugin_rows": plugin_rows}
VOLUME_BYTES = {"plugin_rows": 1_400_000_000}
