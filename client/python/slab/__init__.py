"""Big arrays computed by slabd's workers, as numpy arrays in and out.

    import slab
    b = slab.run("zoom", a, factor=2, convention="round")      # a read-only view of the daemon's own memory
    c = slab.run("zoom", "in.npy", out="out.npy", factor=2)    # file to file; c is a read-only memmap of out.npy
    job = slab.submit("outer", y, x)                           # returns at once
    job.wait(); r = job.result(); job.drop()                   # r stays valid: a view holds its memory by itself
    r = slab.map_tiles(operate, y, x, shape=(50, 60), dtype=float)     # a function of your own fills the tiles
    d = slab.run([slab.step("zoom", factor=2), slab.step("zoom", factor=0.5)], a)      # a pipeline is one job

The daemon is the one at $SLABD_SOCKET, else the user's own, else the system's. Where none is running, a private one
is started for this process and ends with it. Needs Linux, the standard library and numpy.

A daemon that goes away (killed, upgraded) while run() or wait() waits is waited for: $SLABD_RECONNECT ("60s" unless set,
"0" for not at all). When it is back, the job goes on.

Every error is a SlabError: `what` went wrong in one line, `because` the facts, `remedy` what to do.

The wire is described in common/protocol/README.md; this module is written after that page alone.
"""

from slab.calls import attach, jobs, kernels, map_tiles, plan, resume, run, status, submit
from slab.connection import Connection
from slab.errors import Cancelled, Interrupted, JobFailed, NoDaemon, Refused, SlabError, UsageError
from slab.job import Job
from slab.job_request import step
from slab.tile import Tile

__all__ = ["run", "step", "map_tiles", "Tile", "submit", "resume", "attach", "plan", "kernels", "jobs", "status", "Connection", "Job",
           "SlabError", "UsageError", "Refused", "JobFailed", "NoDaemon", "Interrupted", "Cancelled"]

for _name in __all__:  # in tracebacks and help() they are slab.Refused, not slab.errors.Refused
    globals()[_name].__module__ = __name__
