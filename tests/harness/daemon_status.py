"""Numbers out of what `slab status --json` tells."""


def held_bytes(status):
    """Of the volume, by jobs and kept results."""
    return status["volume"]["held_bytes"]


def lingering_bytes(status):
    """Of the volume: given up by the daemon, still mapped by a reader."""
    return status["volume"]["lingering_bytes"]


def worker_pids_by_cpu(status, states=("idle", "busy")):
    """{cpu: pid} of the workers in one of these states; by default those that are ready for work. Without those that were
    heard before the zygote has told their pid: -1 is every process there is, for whoever kills it."""
    return {worker["cpu"]: worker["pid"] for worker in status["workers"]
            if worker["state"] in states and worker["pid"]}
