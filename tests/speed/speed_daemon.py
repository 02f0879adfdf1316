"""A slabd of the benchmark's own: a volume of the wanted size, warm, its log thrown away."""

import contextlib
import json
import os
import subprocess
import time

import slab

EXTENT = 2 << 20
PATIENCE_S = 120


@contextlib.contextmanager
def running_daemon(settings, volume_bytes, warm=True, program=None, plugins=()):
    """A connection to a daemon whose whole volume has its memory already; not warm: as soon as it answers.
    program: another than slabd."""
    directory = settings.directory
    socket = str(directory / "socket")
    configuration = directory / "slabd.toml"
    configuration.write_text(f'[volume]\nsize = "{volume_bytes // EXTENT * EXTENT + EXTENT}"\n'
                             '[quota]\nkept = "100%"\n'
                             f'[kernels]\nplugins = {json.dumps([str(path) for path in plugins])}\n')
    process = subprocess.Popen([program or settings.build / "daemon/slabd", "--config", configuration, "--socket", socket,
                                "--instance", f"speed-{os.getpid()}"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(lambda: _all_populated(settings, process, socket, warm), "the volume has its memory")
        with slab.Connection(socket, daemon=True) as connection:
            yield connection, socket
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def volume_bytes_for(*arrays_bytes):
    """Room for these arrays at once: each begins on an extent, an input may need a page more."""
    return sum((size + 4096 + EXTENT - 1) // EXTENT * EXTENT for size in arrays_bytes)


def run_kept_job(connection, kernel, *inputs, **parameters):
    """A job whose result is kept: its report, and the supervisor's CPU seconds while it ran."""
    before = connection.status()["supervisor_cpu_s"]
    job = connection.submit(kernel, *inputs, **parameters)
    report = job.wait(PATIENCE_S)
    return job, report, connection.status()["supervisor_cpu_s"] - before


def _all_populated(settings, process, socket, warm):
    if process.poll() is not None:
        raise SystemExit(f"slabd ended with exit code {process.returncode}: run it by hand to see why")
    answer = subprocess.run([settings.build / "client/slab", "status", "--json", "--socket", socket],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if answer.returncode != 0:
        return False
    volume = json.loads(answer.stdout)["volume"]
    return volume["populated_bytes"] == volume["bytes"] or not warm


def _wait(condition, what):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"not within {PATIENCE_S} s: {what}")
        time.sleep(0.05)
