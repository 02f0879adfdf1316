"""`slab run --python MODULE:FUNCTION INPUT... -o OUTPUT`: slab.map_tiles() from the command line.

`slab` hands its arguments over to this program, which starts the guests: a function in Python needs Python around it.
"""

import argparse
import importlib
import importlib.util
import json
import os
import sys
import traceback

from slab.errors import SlabError, UsageError
from slab.shared_connection import process_connection

EXIT_CODES = {"failed": 1, "usage": 2, "refused": 3, "no_daemon": 4, "interrupted": 5, "cancelled": 130}


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UsageError(message, "", "slab run --python MODULE:FUNCTION --help lists what it takes.")


def _parser():
    parser = _Parser(prog="slab run --python", allow_abbrev=False, description=(
        "Has an array filled by a Python function, tile by tile, in a process for each CPU: FUNCTION(tile, *inputs, out) "
        "writes out, as help(slab.map_tiles) says."))
    parser.add_argument("--python", required=True, metavar="MODULE:FUNCTION",
                        help="a module that can be imported from here, or a file ending in .py, and a function of it")
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help=".npy files; they are mapped, not read")
    parser.add_argument("-o", "--output", required=True, help="a file ending in .npy or .raw")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing output")
    parser.add_argument("--shape", type=_numbers, help="the output's, as 50000,10000; default: the first input's")
    parser.add_argument("--dtype", help="its element type, as float64; default: the first input's")
    parser.add_argument("--workers", type=int, help="how many processes; default: as many as the daemon has workers")
    parser.add_argument("--tile", type=_numbers, help="a tile's extents, as 512,512; default: whole rows of about 1 MiB")
    parser.add_argument("--halo", type=_numbers, help="by how much tile.padded is wider than the tile, along each axis")
    parser.add_argument("--deadline", type=float, metavar="SECONDS", help="that a tile may take")
    parser.add_argument("--priority", type=int, default=0, help="-20 (first) to 19 (last)")
    parser.add_argument("--max-memory", metavar="SIZE", help="bounds what of the output is in memory at one time")
    parser.add_argument("--tile-bytes", metavar="SIZE", help="how large a tile is")
    parser.add_argument("--name", help="shown by slab ps")
    parser.add_argument("--wait-for-space", action="store_true", help="wait while the output's disk is too full")
    parser.add_argument("--socket", metavar="PATH", help="the daemon's socket")
    parser.add_argument("--daemon", action="store_true", help="do not start a private daemon")
    parser.add_argument("--json", action="store_true", help="print the job as one JSON object")
    return parser


def _numbers(text):
    numbers = [int(part) for part in text.split(",")]
    return numbers[0] if len(numbers) == 1 else numbers


def load_function(text):
    """The function that MODULE:FUNCTION names. UsageError says which part of it is wrong."""
    place, colon, name = text.rpartition(":")
    if not colon or not place or not name.replace(".", "").isidentifier():
        raise UsageError(f"'{text[:80]}' names no function", "it is not of the form MODULE:FUNCTION",
                         "Put the function into a file and give --python ./file.py:name.")
    what = f"{place} cannot be imported"
    try:
        module = _import_file(place) if place.endswith(".py") else importlib.import_module(place)
    except SystemExit as left:
        raise UsageError(what, f"it calls sys.exit({left.code!r}) when it is imported",
                         "Put what the program does under: if __name__ == '__main__'.") from left
    except Exception as error:  # whatever the module does when it is imported
        raise UsageError(what, _last_lines(error), "Try it in Python, from this directory: import it there.") from error
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            known = [key for key in vars(module) if callable(getattr(module, key)) and not key.startswith("_")]
            raise UsageError(f"{place} has no function '{name}'", f"it has {', '.join(known[:20]) or 'none'}",
                             "Name one of the module's own.")
        found = getattr(found, part)
    return found


def _import_file(path):
    name = os.path.splitext(os.path.basename(path))[0]
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or not os.path.exists(path):
        raise FileNotFoundError(f"there is no file {path}")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def _last_lines(error):
    return "".join(traceback.format_exception_only(type(error), error)).strip()[-500:]


def run(arguments):
    if {"-h", "--help"}.intersection(arguments):
        _parser().print_help()
        return 0
    options = _parser().parse_intermixed_args(arguments)
    if options.socket:
        os.environ["SLABD_SOCKET"] = options.socket
    sys.path.insert(0, os.getcwd())
    function = load_function(options.python)
    _, record = process_connection(options.daemon).map_tiles_and_tell(
        function, *options.inputs, shape=options.shape, dtype=options.dtype, workers=options.workers, tile=options.tile,
        halo=options.halo, out=options.output, overwrite=options.overwrite, progress=not options.json,
        deadline=options.deadline, priority=options.priority, max_memory=options.max_memory,
        tile_bytes=options.tile_bytes, name=options.name, wait_for_space=options.wait_for_space)
    if options.json:
        print(json.dumps(record))
    return 0


def main():
    try:
        return run(sys.argv[1:])
    except KeyboardInterrupt:
        print("error: cancelled", file=sys.stderr)
        return EXIT_CODES["cancelled"]
    except SlabError as error:
        print(f"error: {error}", file=sys.stderr)
        if "--json" in sys.argv:
            print(json.dumps({"error": {"kind": error.kind, "what": error.what, "because": error.because,
                                        "remedy": error.remedy}}))
        return EXIT_CODES[error.kind]
