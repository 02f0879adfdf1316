"""A function of the user's own on the tiles of an array: slab.map_tiles()."""

import contextlib
import inspect
import os

import numpy as np

from slab.errors import SlabError, UsageError
from slab.guest import Work, function_name
from slab.guest_crew import GuestCrew
from slab.inputs import check_dtype
from slab.job import Job
from slab.outputs import OutputFile
from slab.progress_line import ProgressLine

LONGEST_SILENCE_S = 0.2  # of the daemon, after which the guests are looked after anyway
MOST_WORKERS = 256


def map_tiles_on(connection, function, inputs, shape, dtype, workers, tile, halo, out, overwrite, progress, deadline,
                 options):
    """The array of slab.map_tiles(), and the job's last record."""
    arrays = [_read_only(source) for source in inputs]
    shape, dtype = _output_of(arrays, shape, dtype)
    halo = _per_axis("halo", halo, len(shape), least=0) or [0] * len(shape)
    tile = _per_axis("tile", tile, len(shape), least=1)
    _check_call(function, arrays)
    if workers is not None and not (isinstance(workers, (int, np.integer)) and 1 <= workers <= MOST_WORKERS):
        raise UsageError(f"workers cannot be {workers!r}", f"1 to {MOST_WORKERS} guests, or None: one for each CPU of the daemon")
    if deadline is not None and not deadline > 0:
        raise UsageError(f"deadline cannot be {deadline!r}", "it is the seconds that a tile may take")
    array = {"dtype": dtype.str, "shape": shape}
    request = {"guests": {"name": function_name(function), **array, **({"tile": tile} if tile else {})}, "inputs": [],
               "linked": True, "watch": True, **options}

    def make_work(segment, facts):
        # As nice as the daemon's workers; the CPUs are shared with the guests of other jobs by priority, too.
        nice = min(max(facts["nice"] + options["priority"], 0), 19)
        return Work(function, arrays, segment, shape, dtype, halo, deadline or facts["deadline_s"], nice)
    with contextlib.ExitStack() as at_the_end:
        output = None
        if out is not None:
            output = OutputFile(out, overwrite, named=False)
            at_the_end.callback(output.close)
            request["output"] = {"descriptor": 0, **output.request(array)}
        tag = connection._send("submit", [] if output is None else [output.descriptor], request, follow=True)
        job = Job(connection, connection._answer(tag)[0]["job"], None, following=True, request=request)
        crew = GuestCrew(connection, job.id, make_work)
        with contextlib.ExitStack() as unless_kept:
            unless_kept.callback(crew.give_up)
            _run(job, crew, workers, ProgressLine(progress, f"job {job.id} {function_name(function)}"))
            if output is None:
                unless_kept.pop_all()
                return crew.segment.array(shape, dtype), job._record
        output.commit()
        return output.load(job._record["output"]), job._record


def _run(job, crew, workers, line):
    """Until the job has ended. Whatever happens, no guest is left."""
    is_done = False
    try:
        crew.start(workers)
        while job._record["state"] != "ended":
            _await_news(job)
            line.show(job._record)
            if job._record["state"] != "ended":
                crew.replace_the_dead(job._record["tiles_done"])
        is_done = job._record["outcome"] == "done"
        if not is_done:
            raise job._failure()
    except BaseException:
        if job._record["state"] != "ended":
            with contextlib.suppress(SlabError):
                job._record = job._connection.request("cancel", job=job.id)[0]["job"]
        raise
    finally:
        line.end()
        crew.end(at_once=not is_done)


def _await_news(job):
    """The next event of the job, or silence for a while."""
    connection, before = job._connection, job._record

    def news():
        record = connection._followed.get(job.id, before)
        return record if record is not before else None
    job._record = connection._await(news, LONGEST_SILENCE_S) or before


def _read_only(source):
    """An array as guests see it: a file is mapped, and read as far as a function looks at it."""
    if isinstance(source, (str, os.PathLike)):
        array = _map_file(os.fspath(source))
    else:
        array = np.asarray(source)
    if array.dtype.hasobject:
        raise UsageError("an input of Python objects cannot be shared", f"its dtype is {array.dtype}",
                         "Let the function have it without naming it an input: as a global, or in a closure.")
    view = array.view()
    view.setflags(write=False)
    return view


def _map_file(path):
    try:
        return np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(f"{path} cannot be used as input", str(error)[:300],
                         "Give the path of a .npy file (not packed: it is mapped), or an array.") from error


def _output_of(arrays, shape, dtype):
    if (shape is None or dtype is None) and not arrays:
        raise UsageError("the output is not known", "there is no input that it could be like",
                         "Give shape=(rows, columns) and dtype=float.")
    try:
        extents = arrays[0].shape if shape is None else (shape,) if np.ndim(shape) == 0 else tuple(shape)
        extents = [_whole(extent) for extent in extents]
    except (TypeError, ValueError) as error:
        raise UsageError(f"shape cannot be {shape!r}", str(error), "Give whole numbers, one for each axis.") from error
    if any(extent < 1 for extent in extents) or not extents:
        raise UsageError("the output has no elements", f"its shape is {tuple(extents)}",
                         "Give a shape of 1 to 5 axes, none of them empty.")
    try:
        element = np.dtype(arrays[0].dtype if dtype is None else dtype).newbyteorder("=")
    except TypeError as error:
        raise UsageError(f"dtype cannot be {dtype!r}", str(error)) from error
    check_dtype(element, "the output")
    return extents, element


def _whole(number):
    if isinstance(number, (bool, float)) or int(number) != number:
        raise TypeError(f"{number!r} is no whole number")
    return int(number)


def _per_axis(name, value, axes, least):
    """One number for all axes, or one for each; None: not given."""
    if value is None:
        return None
    try:
        numbers = [_whole(number) for number in ([value] * axes if np.ndim(value) == 0 else value)]
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} cannot be {value!r}", str(error), "Give whole numbers, one for each axis.") from error
    if len(numbers) != axes or any(number < least for number in numbers):
        raise UsageError(f"{name} cannot be {value!r}", f"the output has {axes} axes, and {least} is the least for each",
                         "Give one number, or one for each axis.")
    return numbers


def _check_call(function, arrays):
    if not callable(function):
        raise UsageError("map_tiles needs a function", f"it was given {repr(function)[:100]}",
                         "Give a function: def operate(tile, a, b, out).")
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):  # one in C tells none
        return
    try:
        signature.bind(None, *arrays, None)
    except TypeError as error:
        raise UsageError(f"{function_name(function)}{signature} cannot be called for a tile",
                         f"it is given the tile, {len(arrays)} input{'s' if len(arrays) != 1 else ''} and out: {error}",
                         "Define it so: def operate(tile, " + "".join(f"input{n + 1}, " for n in range(len(arrays)))
                         + "out).") from error
