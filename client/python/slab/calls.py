"""The functions of the module: each asks the process's own connection."""

from slab.guest import check_no_guest
from slab.shared_connection import process_connection


def run(kernel, *inputs, out=None, overwrite=False, priority=0, max_memory=None, tile_bytes=None, name=None,
        wait_for_space=False, daemon=False, tables=False, plugin=None, **parameters):
    """Runs a kernel and returns its output as a read-only array, or as a number where that is all.

    kernel: its name, or a list of steps (slab.step): a pipeline, whose arrays between two steps stay in the volume.
    inputs: arrays of up to 5 dimensions (bool, integers, float32/64, complex64/128; any byte order; C and Fortran
        order without a copy in this process's layout), or paths of .npy and .npy.gz files. A read-only
        np.memmap and a path are read by the daemon straight from the file.
    out: None: the array is a view of the daemon's memory, without a copy; or a path ending in .npy or .raw: the
        array is a memmap of that file, which appears under its name when it is complete.
    overwrite: whether `out` may replace a file.
    wait_for_space: True: wait while the disk of `out` is too full, instead of raising Refused.
    priority: -20 (first) to 19 (last). max_memory, tile_bytes: bytes or "512MiB". name: shown by `slab ps`.
    daemon: True: do not start a private daemon where none is running.
    plugin: a library with kernels of your own (slab_kernel.h), or a list: the job runs on a private daemon that has them.
    tables: True: return the output and, as a dictionary of arrays, what the job tells beside it: Job.tables().
    parameters: the kernel's, as `slab kernels NAME` lists them; one value for all axes or a sequence with one each;
        a flag is True or False; axes are an index or a sequence of them, negative ones counting from the end; a table
        (a matrix, a transform for each frame) is a 2-D array, nested lists, or an array of shape (n, 4, 4): a matrix for
        each row; an image (a mask, a reference) is an array, or the path of one. A plain list is one row. numpy.loadtxt reads rp_*.txt and .par.

    Raises UsageError, Refused, JobFailed, Cancelled, NoDaemon, Interrupted. Ctrl-C cancels the job.
    """
    return process_connection(daemon, plugin).run(kernel, *inputs, out=out, overwrite=overwrite, priority=priority,
                                   max_memory=max_memory, tile_bytes=tile_bytes, name=name,
                                   wait_for_space=wait_for_space, tables=tables, **parameters)


def map_tiles(function, *inputs, shape=None, dtype=None, workers=None, tile=None, halo=None, out=None, overwrite=False,
              progress=False, deadline=None, priority=0, max_memory=None, tile_bytes=None, name=None, wait_for_space=False,
              daemon=False):
    """Has an array filled by a function of your own, tile by tile, in several processes at once: the array.

        def operate(tile, y, x, out):          # out is a writable view of r[tile.y, tile.x]
            out[:] = y[tile.y, None] * x[tile.x]
        r = slab.map_tiles(operate, y, x, shape=(len(y), len(x)), dtype=float)

    function(tile, *inputs, out): fills all of out, whose elements are undefined before (as numpy.empty), and returns
        nothing. It may be called again for a tile, so it must write the same again. It runs in processes forked from this
        one, so closures, lambdas and what was compiled before (numba: call it once) work; what it changes beside `out` is
        lost with its process. tile: see slab.Tile.
    inputs: arrays, as they are when the call is made, or paths of .npy files, which are mapped. They are passed whole and
        read-only: tile.padded and tile.inner say where to read with a halo.
    shape, dtype: the output's, of 1 to 5 axes. Default: those of the first input.
    workers: how many processes. Default: as many as the daemon has workers.
    tile: the extents of a tile, one for each axis, or one for all. Default: whole rows of
        about 1 MiB (tile_bytes), so that what numpy makes on the way stays in the cache.
    halo: by how much tile.padded is wider than the tile, for each axis, or for all.
    out: None: the array is in shared memory of this user's own, writable, and comes back without a copy; or a path ending
        in .npy or .raw: the array is a memmap of that file. It streams there and may be larger than the memory; max_memory
        (bytes or "512MiB") bounds what of it is in memory at one time.
    progress: True: show it on standard error. deadline: seconds that a tile may take. Default: the daemon's setting.
    The rest is as in run(); the job is shown by `slab ps`, and cancelled by `slab cancel` or Ctrl-C.

    An exception in the function is a JobFailed with the tile and the traceback. A process that is killed costs its tiles a
    second try; a tile that kills three fails the job. Raises as run() does.
    """
    check_no_guest()  # before a connection is made for nothing
    return process_connection(daemon).map_tiles(
        function, *inputs, shape=shape, dtype=dtype, workers=workers, tile=tile, halo=halo, out=out, overwrite=overwrite,
        progress=progress, deadline=deadline, priority=priority, max_memory=max_memory, tile_bytes=tile_bytes, name=name,
        wait_for_space=wait_for_space)


def submit(kernel, *inputs, out=None, overwrite=False, priority=0, max_memory=None, tile_bytes=None, name=None,
           wait_for_space=False, daemon=False, note=None, plugin=None, **parameters):
    """Starts what run() runs, and returns a Job at once.

    Without `out` the result stays in the volume until Job.drop(). With it the file is there from the start, and
    becomes a valid .npy at the end: its header is written last. note: a dictionary that the daemon gives back in the
    job's record, instead of what resume() needs. (A private daemon, and its jobs, end with this
    process.)
    """
    return process_connection(daemon, plugin).submit(kernel, *inputs, out=out, overwrite=overwrite, priority=priority,
                                      max_memory=max_memory, tile_bytes=tile_bytes, name=name,
                                      wait_for_space=wait_for_space, note=note, **parameters)


def resume(job_id, daemon=False):
    """Makes an interrupted job go on with the files that it was submitted with: its Job. What `slab resume` does."""
    return process_connection(daemon).resume(job_id)


def attach(job_id, daemon=False):
    """The kept result of a job (`slab run --keep`, submit()) as a read-only array: the very memory, no copy.

    The array keeps its memory by itself, also when the job is dropped and the daemon gone.
    """
    return process_connection(daemon).attach(job_id)


def plan(kernel, *inputs, max_memory=None, tile_bytes=None, daemon=False, plugin=None, **parameters):
    """What run() would do: a dictionary with the output's dtype and shape, tiles, and bytes held of the volume."""
    return process_connection(daemon, plugin).plan(kernel, *inputs, max_memory=max_memory, tile_bytes=tile_bytes,
                                                   **parameters)


def kernels(name=None, daemon=False, plugin=None):
    """The daemon's kernels (or the one of that name) with their parameters: a list of dictionaries."""
    return process_connection(daemon, plugin).kernels(name)


def jobs(all=False, daemon=False):
    """The daemon's jobs as a list of dictionaries (`slab ps --json`); all: also those that have ended."""
    return process_connection(daemon).jobs(all)


def status(daemon=False):
    """The daemon's workers, volume and queue: the dictionary of `slab status --json`."""
    return process_connection(daemon).status()
