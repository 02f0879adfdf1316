"""Big arrays computed by slabd's workers, as numpy arrays in and out.

    import slab
    b = slab.run("zoom", a, factor=2, convention="round")      # a read-only view of the daemon's own memory
    c = slab.run("zoom", "in.npy", out="out.npy", factor=2)    # file to file; c is a read-only memmap of out.npy
    job = slab.submit("outer", y, x)                           # returns at once
    job.wait(); r = job.result(); job.drop()                   # r stays valid: a view holds its memory by itself
    d = slab.run([slab.step("zoom", factor=2), slab.step("zoom", factor=0.5)], a)      # a pipeline is one job

The daemon is the one at $SLABD_SOCKET, else the user's own, else the system's. Where none is running, a private one
is started for this process and ends with it. Needs Linux, the standard library and numpy.

A daemon that goes away (killed, upgraded) while run() or wait() waits is waited for: $SLABD_RECONNECT ("60s" unless set,
"0" for not at all). When it is back, the job goes on.

Every error is a SlabError: `what` went wrong in one line, `because` the facts, `remedy` what to do.

The wire is described in common/protocol/README.md; this module is written after that page alone.
"""

import atexit
import base64
import contextlib
import errno
import fcntl
import gzip
import io
import itertools
import json
import math
import mmap
import os
import re
import secrets
import select
import shutil
import socket as _socket
import stat
import subprocess
import sys
import threading
import time
import weakref
import zlib

import numpy as np

__all__ = ["run", "step", "submit", "resume", "attach", "plan", "kernels", "jobs", "status", "Connection", "Job",
           "SlabError", "UsageError", "Refused", "JobFailed", "NoDaemon", "Interrupted", "Cancelled"]

PROTOCOL = 1
LONGEST_PACKET = 128 * 1024
MOST_DESCRIPTORS = 18
LARGEST_EXACT_INTEGER = 2**53
RECONNECT_INTERVAL_S = 0.2
SAME_TIME_S = 1e-3  # the daemon keeps submitted_at in another form than the text that it sends
MOST_LOSSES = 5     # of the daemon while a job does not get on: it may be the job that kills it
LONGEST_NOTE = 16 * 1024
MOST_LISTED_NUMBERS = 10_000
MOST_TABLE_NUMBERS = 1_000_000
LONGEST_HEADER = 2**20
MOST_INFLATION = 1032  # deflate's best ratio
HEADER_BYTES = 4096  # of a written .npy: O_DIRECT needs the payload on a multiple of the file system's block


# ---------------------------------------------------------------------------------------------------------- errors

class SlabError(Exception):
    """What went wrong (`what`), the facts (`because`) and what to do (`remedy`); the last two may be empty."""

    kind = "failed"

    def __init__(self, what, because="", remedy=""):
        super().__init__(what, because, remedy)
        self.what, self.because, self.remedy = what, because, remedy

    def __str__(self):
        lines = [self.what]
        if self.because:
            lines.append(f"because: {self.because}")
        if self.remedy:
            lines.append(f"try: {self.remedy}")
        return "\n".join(lines)


class UsageError(SlabError):
    """The request is wrong: a parameter, a file, a shape."""
    kind = "usage"


class Refused(SlabError):
    """The request is right and cannot be granted here: no room, no permission."""
    kind = "refused"


class JobFailed(SlabError):
    """The job ran and failed."""
    kind = "failed"


class NoDaemon(SlabError):
    """Nobody answers at the socket, and no private daemon could be started."""
    kind = "no_daemon"


class Interrupted(SlabError):
    """The daemon went away, and did not come back in time. What became of the job is not known."""
    kind = "interrupted"


class Cancelled(SlabError):
    """Somebody cancelled the job."""
    kind = "cancelled"


_ERROR_TYPES = {error.kind: error for error in (UsageError, Refused, JobFailed, NoDaemon, Interrupted, Cancelled)}


def _error_from(answer):
    """The exception of an error object of the protocol."""
    return _ERROR_TYPES.get(answer.get("kind"), JobFailed)(
        answer.get("what", ""), answer.get("because") or "", answer.get("remedy") or "")


def _os_error(what, error, remedy="", kind=UsageError):
    return kind(what, os.strerror(error.errno) if error.errno else str(error), remedy)


# --------------------------------------------------------------------------------------------- values on the wire

def _plain(value, name="parameter"):
    """A parameter's value as JSON can carry it: numpy scalars and arrays as Python's, NaN and the like as text; arrays
    of two and three dimensions and lists of rows as a TABLE of the protocol."""
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, (np.bool_, np.number)):
        return _plain(value.tolist(), name)
    if not isinstance(value, np.ndarray) and hasattr(value, "__array__"):  # a pandas frame, a jax array
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        return _plain_array(value, name)
    if isinstance(value, (list, tuple)) and any(isinstance(row, (list, tuple, np.ndarray)) for row in value):
        return _plain_array(_array_of_rows(value, name), name)
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_EXACT_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (list, tuple)):
        return [_plain(element, name) for element in value]
    raise UsageError(f"{name} cannot be a {type(value).__name__}", repr(value)[:100],
                     "Give a number, a text, a boolean, a list of numbers, or a table of them.")


def _plain_array(array, name):
    if array.dtype.kind not in "biuf":
        raise UsageError(f"{name} cannot be an array of {array.dtype}", "parameters are made of real numbers",
                         "Convert it, for instance with astype(float).")
    if array.ndim > 3 or (array.ndim > 0 and array.size == 0):
        raise UsageError(f"{name} cannot be an array of shape {array.shape}",
                         "a table has rows and columns: two dimensions, or three with a matrix for each row",
                         "Reshape it.")
    if array.ndim == 0 or (array.ndim == 1 and array.size <= MOST_LISTED_NUMBERS):
        plain = array.astype(float) if array.dtype.kind == "f" else array
        return _plain(plain.tolist(), name)
    table = array.reshape(1 if array.ndim == 1 else len(array), -1)
    if table.size > MOST_TABLE_NUMBERS:
        raise UsageError(f"{name} is too large a table", f"it has {table.size} numbers; {MOST_TABLE_NUMBERS} are the most",
                         "What is that large is an array, an input.")
    packed = np.ascontiguousarray(table, "<f8")
    return {"rows": table.shape[0], "columns": table.shape[1], "float64": base64.b64encode(packed).decode()}


def _array_of_rows(rows, name):
    """Of nested lists, or a list of matrices."""
    lengths = [len(row) if hasattr(row, "__len__") and not isinstance(row, str) else None for row in rows]
    for number, length in enumerate(lengths, 1):
        if length != lengths[0]:
            raise UsageError(f"the rows of {name} differ in length",
                             f"row {number} has {'no length' if length is None else length}, the first "
                             f"{'none' if lengths[0] is None else lengths[0]}",
                             "Give every row equally many numbers.")
    try:
        return np.array(rows)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{name} is no table", str(error)[:200], "Give rows of equally many numbers.") from error


def _sealed_memfd(name, content):
    """A memfd that holds these bytes (any contiguous buffer) and that nobody can change any more."""
    memfd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        rest = memoryview(content)
        while rest.nbytes:
            rest = rest[os.write(memfd, rest):]
        _seal(memfd)
        return memfd
    except BaseException:
        os.close(memfd)
        raise


def _seal(memfd):
    fcntl.fcntl(memfd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)


def _send_message(peer, body, descriptors=()):
    """One packet; an object that is too long for it travels in a memfd, which is then the first descriptor."""
    packet = json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
    if len(packet) <= LONGEST_PACKET:
        _send_packet(peer, packet, descriptors)
        return
    memfd = _sealed_memfd("slab-message", packet)
    try:
        _send_packet(peer, b'{"in_descriptor":%d}' % len(packet), [memfd, *descriptors])
    finally:
        os.close(memfd)


def _send_packet(peer, packet, descriptors):
    if descriptors:
        _socket.send_fds(peer, [packet], descriptors)
    else:
        peer.send(packet)


def _receive_message(peer):
    """The next message and its descriptors (close-on-exec, the caller's to close). None at the peer's end."""
    packet, descriptors, flags, _ = _socket.recv_fds(peer, LONGEST_PACKET, MOST_DESCRIPTORS,
                                                     _socket.MSG_CMSG_CLOEXEC)
    if not packet:
        return None
    try:
        if flags & (_socket.MSG_TRUNC | _socket.MSG_CTRUNC):
            raise ValueError("the packet is longer than the protocol allows")
        body = json.loads(packet)
        if "in_descriptor" in body:
            memfd = descriptors.pop(0)
            try:
                body = json.loads(_read_exactly(memfd, body["in_descriptor"]))
            finally:
                os.close(memfd)
        return body, descriptors
    except (ValueError, IndexError, TypeError) as error:
        _close_all(descriptors)
        raise Interrupted("the daemon sent what is no message of this protocol", str(error),
                          "Use the slab.py that came with this slabd.") from error


def _read_exactly(descriptor, count):
    content = bytearray()
    while len(content) < count:
        part = os.pread(descriptor, count - len(content), len(content))
        if not part:
            raise ValueError(f"its memfd has {len(content)} of {count} bytes")
        content += part
    return content


def _close_all(descriptors):
    for descriptor in descriptors:
        os.close(descriptor)


# ----------------------------------------------------------------------------------------------------- arrays in

class _Input:
    """One input array on its way to the daemon: its description and a descriptor of its bytes."""

    def __init__(self, dtype, shape, order, descriptor, offset, path=None, codec=None):
        self.array = {"dtype": dtype.str, "shape": [int(extent) for extent in shape], "order": order}
        if codec is not None:
            self.array["codec"] = codec
        self.path = path  # absolute; None: an array in memory
        self.descriptor = descriptor
        self.offset = offset

    def close(self):
        os.close(self.descriptor)


def _open_input(source):
    """A path of a .npy or .npy.gz file, or anything that numpy makes an array of."""
    if isinstance(source, (str, os.PathLike)):
        return _input_from_npy(os.fspath(source))
    array = np.asarray(source)
    _check_dtype(array.dtype, "the input array")
    mapped = _file_of(array) if array.flags.forc else None
    descriptor, offset = mapped or (_memfd_of(array), 0)
    path = os.path.abspath(_root_of(array).filename) if mapped else None
    return _Input(array.dtype, array.shape, _order_of(array), descriptor, offset, path)


def _order_of(array):
    """How the array travels: non-contiguous ones are copied to C order."""
    return "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"


def _check_dtype(dtype, whose):
    sizes = {"b": (1,), "u": (1, 2, 4, 8), "i": (1, 2, 4, 8), "f": (4, 8), "c": (8, 16)}
    if dtype.itemsize not in sizes.get(dtype.kind, ()):
        raise UsageError(f"the element type of {whose} cannot be used: {dtype}",
                         "arrays are bool, (u)int8 to (u)int64, float32, float64, complex64 or complex128",
                         "Convert it with numpy's astype().")


def _memfd_of(array):
    """A sealed memfd with a copy of the array: its own order when contiguous, else C order."""
    if array.flags.forc:
        in_memory_order = array if array.flags.c_contiguous else array.T
        return _sealed_memfd("slab-input", in_memory_order.reshape(-1).view(np.uint8))
    memfd = os.memfd_create("slab-input", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        if array.nbytes:
            os.posix_fallocate(memfd, 0, array.nbytes)  # too little memory is an OSError here, a SIGBUS below
            with mmap.mmap(memfd, array.nbytes) as memory:
                np.ndarray(array.shape, array.dtype, memory)[...] = array
        _seal(memfd)
        return memfd
    except BaseException:
        os.close(memfd)
        raise


def _file_of(array):
    """(descriptor, offset) of the file behind a contiguous array that maps one read-only; None for other arrays.

    The name may by now belong to another file (a result replaced by rename): only the very inode that is mapped
    will do, otherwise the array is copied.
    """
    root = _root_of(array)
    if not (isinstance(root, np.memmap) and isinstance(root.base, mmap.mmap)
            and root.mode == "r" and root.filename and array.nbytes):
        return None
    try:
        descriptor = os.open(root.filename, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    facts = os.fstat(descriptor)
    address = array.__array_interface__["data"][0]
    if _mapped_file_at(address) == (os.major(facts.st_dev), os.minor(facts.st_dev), facts.st_ino):
        return descriptor, root.offset + address - root.__array_interface__["data"][0]
    os.close(descriptor)
    return None


def _root_of(array):
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _mapped_file_at(address):
    """(major, minor, inode) of the file that is mapped at this address of this process."""
    with open("/proc/self/maps", "rb") as maps:
        for line in maps:
            addresses, _, _, device, inode = line.split(maxsplit=5)[:5]
            first, last = (int(bound, 16) for bound in addresses.split(b"-"))
            if first <= address < last:
                major, minor = (int(part, 16) for part in device.split(b":"))
                return major, minor, int(inode)
    return None


def _input_from_npy(path):
    what = f"{path} cannot be used as input"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise _os_error(what, error, "Check the path.") from error
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise UsageError(what, "it is not a regular file", "Give the path of a .npy or .npy.gz file.")
        with open(descriptor, "rb", closefd=False) as file:
            packed = path.endswith(".gz") or file.peek(2)[:2] == b"\x1f\x8b"
            shape, order, dtype, offset = _read_packed_header(file, what) if packed else _read_npy_header(file, what)
        _check_dtype(dtype, path)
        expected = offset + math.prod(shape) * dtype.itemsize  # Python's integers: no shape overflows
        capacity = facts.st_size * (MOST_INFLATION if packed else 1)
        if any(extent < 0 for extent in shape) or capacity < expected:
            raise UsageError(what, f"its header promises {expected} bytes, the file has {facts.st_size}"
                             + (" packed ones" if packed else ""),
                             "The file is cut short or its header is damaged: write it again.")
        return _Input(dtype, shape, order, descriptor, offset, os.path.abspath(path), "gzip" if packed else None)
    except BaseException:
        os.close(descriptor)
        raise


def _read_packed_header(file, what):
    """The header in a gzip file, whose bytes are counted unpacked. Unpacks the beginning only, whatever it promises."""
    try:
        with gzip.GzipFile(fileobj=file) as unpacked:
            return _read_npy_header(io.BytesIO(unpacked.read(LONGEST_HEADER)), what)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(what, f"its gzip data cannot be read: {error}", "Write or copy the file again.") from error


def _read_npy_header(file, what):
    try:
        version = np.lib.format.read_magic(file)
        # Version 3 differs from 2 only in non-ASCII names of record fields, which no array of ours has.
        read = (np.lib.format.read_array_header_1_0 if version == (1, 0)
                else np.lib.format.read_array_header_2_0)
        shape, fortran_order, dtype = read(file)
    except (ValueError, SyntaxError, TypeError, OverflowError) as error:
        raise UsageError(what, f"it is not a .npy file: {error}",
                         "Give a .npy file, or read the file yourself and give the array.") from error
    return shape, "F" if fortran_order else "C", dtype, file.tell()


# ---------------------------------------------------------------------------------------------------- arrays out

def _npy_header(array):
    """The header of a .npy file for an ARRAY of the protocol, padded so that the data start at 4096."""
    text = "{'descr': %r, 'fortran_order': %r, 'shape': %r, }" % (
        np.dtype(array["dtype"]).str, array.get("order") == "F", tuple(array["shape"]))
    magic = np.lib.format.magic(1, 0)
    length = HEADER_BYTES - len(magic) - 2
    return magic + length.to_bytes(2, "little") + text.encode().ljust(length - 1) + b"\n"


class _OutputFile:
    """A result's file: nothing under its name until commit() (`unnamed`), or there from the start and not valid
    until the daemon has written the header last (`named`, for jobs that outlive this process)."""

    def __init__(self, path, overwrite, named):
        self.path = os.path.abspath(os.fspath(path))
        self._overwrite = overwrite
        self._temporary_name = None
        self._committed = False
        suffix = os.path.splitext(self.path)[1]
        if suffix not in (".npy", ".raw", ".bin"):
            raise UsageError(f"no format is known for the output {path}", f"its name ends in '{suffix}'",
                             "End its name in .npy (numpy), or in .raw or .bin (the elements only).")
        self._is_npy = suffix == ".npy"
        self._payload_at = HEADER_BYTES if self._is_npy else 0
        what = f"the output {path} cannot be written"
        if os.path.isdir(self.path):
            raise UsageError(what, "it is a directory", "Give the name of a file.")
        if not overwrite and os.path.lexists(self.path):
            raise self._exists()
        try:
            self._directory = os.open(os.path.dirname(self.path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise _os_error(what, error, "Check the directory.") from error
        try:
            self.descriptor = self._create_named() if named else self._create_unnamed()
        except OSError as error:
            os.close(self._directory)
            raise _os_error(what, error, "Choose a directory that you may write to.") from error

    def _exists(self):
        return UsageError(f"the output {self.path} exists already", "", "Give overwrite=True or another name.")

    def _create_unnamed(self):
        try:
            return os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o666, dir_fd=self._directory)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT):
                raise
            return self._create_named()  # network file systems have no O_TMPFILE

    def _create_named(self):
        """Under a name of its own; commit() renames, discard() removes it."""
        self._temporary_name = f".{os.path.basename(self.path)}.{os.getpid()}.{time.monotonic_ns():x}.part"
        return os.open(self._temporary_name, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666,
                       dir_fd=self._directory)

    def request(self, array):
        """The `output` of a JOB REQUEST; the descriptor's index is put in by the caller."""
        if not self._is_npy:
            return {"offset": 0}
        return {"offset": HEADER_BYTES, "header": base64.b64encode(_npy_header(array)).decode()}

    def commit(self):
        """Gives the file its name. UsageError when somebody else has taken it meanwhile."""
        name = os.path.basename(self.path)
        try:
            if self._temporary_name is None and not self._overwrite:
                self._link(name)
            else:
                if self._temporary_name is None:
                    self._temporary_name = f".{name}.{os.getpid()}.{time.monotonic_ns():x}.part"
                    self._link(self._temporary_name)
                if self._overwrite:
                    os.rename(self._temporary_name, name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
                else:
                    os.link(self._temporary_name, name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
                    os.unlink(self._temporary_name, dir_fd=self._directory)
        except FileExistsError as error:
            raise self._exists() from error
        except OSError as error:
            raise _os_error(f"the output {self.path} cannot be written", error) from error
        self._committed = True

    def _link(self, name):
        # The directory descriptors make Python call linkat(), which alone can follow /proc's link to the file.
        os.link(f"/proc/self/fd/{self.descriptor}", name, src_dir_fd=self._directory,
                dst_dir_fd=self._directory, follow_symlinks=True)

    def remove_if_unchanged(self):
        """Takes the name of a job's file away again, unless it belongs to another file by now."""
        with contextlib.suppress(OSError):
            if os.path.samestat(os.stat(self.path, follow_symlinks=False), self._facts):
                os.unlink(self.path)

    def note(self):
        """What the note of a job says about its output."""
        facts = os.fstat(self.descriptor)
        return {"output": self.path, "output_format": "npy" if self._is_npy else "raw",
                "output_file": {"device": str(facts.st_dev), "inode": str(facts.st_ino)},
                "existing": "replace" if self._overwrite else "refuse"}

    def close(self):
        """Once, at the end: without a commit before, nothing is left of the file."""
        self._facts = os.fstat(self.descriptor)
        if self._temporary_name is not None and not self._committed:
            with contextlib.suppress(OSError):
                os.unlink(self._temporary_name, dir_fd=self._directory)
        os.close(self.descriptor)
        os.close(self._directory)

    def load(self, array):
        """The written array as a read-only memmap."""
        return np.memmap(self.path, np.dtype(array["dtype"]), "r", self._payload_at,
                         tuple(array["shape"]), array.get("order", "C"))


def _map_array(answer, descriptor):
    """The array of an `attach` answer: a read-only view of the volume, without a copy. Consumes the descriptor.

    The mapping is the array's base, and keeps the read lock in the descriptor: the memory is the reader's until the
    last view is gone.
    """
    try:
        dtype, shape, offset = np.dtype(answer["dtype"]), tuple(answer["shape"]), answer["offset"]
        first = offset - offset % mmap.ALLOCATIONGRANULARITY
        memory = mmap.mmap(descriptor, offset - first + math.prod(shape) * dtype.itemsize,
                           access=mmap.ACCESS_READ, offset=first)
    finally:
        os.close(descriptor)
    if hasattr(mmap, "MADV_DONTDUMP"):
        memory.madvise(mmap.MADV_DONTDUMP)
    return np.ndarray(shape, dtype, memory, offset - first, order=answer.get("order", "C"))


# ---------------------------------------------------------------------------------------------------- connection

_open_connections = weakref.WeakSet()
_HELLO = {"protocol": PROTOCOL, "client": "slab.py"}


class Connection:
    """One connection to a daemon; any number of threads may use it at once.

    socket: the daemon's socket. Default: $SLABD_SOCKET, else the user's own daemon, else the system's.
    daemon: True: never start a private (embedded) daemon where none is running; raise NoDaemon.

    reconnect_for: seconds for which run() and wait() look for a daemon that went away; 0: not at all. Default:
        $SLABD_RECONNECT, else 60.

    A connection is this process's: a forked child has to open its own.
    """

    def __init__(self, socket=None, daemon=False, reconnect_for=None):
        self.reconnect_for = _reconnect_patience() if reconnect_for is None else reconnect_for
        self._embedded = None                  # the private daemon's process
        self._log = None                       # and what it logged
        self._owner = os.getpid()
        self._sending = threading.Lock()
        self._arrival = threading.Condition()  # guards all below
        self._reading = False                  # one thread receives for all that wait
        self._tags = itertools.count(1)
        self._awaited = {}                     # tag -> whether the answer's job is to be followed
        self._answers = {}                     # tag -> (message, descriptors)
        self._followed = {}                    # job id -> its latest JOB
        self._lost = None                      # why nothing more will arrive
        self._closed = False                   # by us: there is no way back
        self._generation = 0                   # counts the daemons that this connection has had
        self._reconnecting = threading.Lock()  # one thread looks for the daemon, the others wait for it
        self.greeting = {}                     # the daemon's: its version, instance, pid, simd
        self._peer, self._path = _connect(socket)
        if self._peer is None:
            if daemon:
                raise NoDaemon("no slabd is running here", "nobody listens at " + " or ".join(_usual_sockets()),
                               "Start slabd, or leave daemon=True away.")
            self._peer, self._embedded, self._log = _start_embedded()
        _open_connections.add(self)
        try:
            self.greeting = self.request("hello", **_HELLO)[0]
        except Interrupted as error:
            self.close()
            if self._embedded is not None:
                raise NoDaemon("a private daemon was started and ended at once", self._last_words(),
                               "Look at what `slab doctor` says.") from error
            raise
        except BaseException:
            self.close()
            raise

    @property
    def is_embedded(self):
        """Whether the daemon is a private one of this process."""
        return self._embedded is not None

    @property
    def is_open(self):
        return self._lost is None and self._owner == os.getpid()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends linked jobs, and the daemon if it is a private one. Arrays that came from it stay valid."""
        with self._arrival:
            self._closed = True
            if self._lost is None:
                self._lost = "the connection was closed"
        with contextlib.suppress(OSError):
            self._peer.shutdown(_socket.SHUT_RDWR)  # wakes a thread that is receiving
        self._peer.close()
        if self._embedded is not None and self._owner == os.getpid():
            try:
                self._embedded.wait(10)  # it ends by itself: our side of its only connection is closed
            except subprocess.TimeoutExpired:
                self._embedded.terminate()
                self._embedded.wait()
            if self._log is not None and self.greeting:
                self._log.close()

    def _last_words(self):
        words = f"it ended with exit code {self._embedded.returncode}"
        if self._log is None:
            return words
        with self._log:
            self._log.seek(0)
            return words + "\n" + self._log.read()[-2000:].decode(errors="replace").strip()

    def _forget_in_child(self):
        """After a fork: the child's copy of the socket would keep the daemon from seeing the parent's end."""
        self._sending, self._arrival = threading.Lock(), threading.Condition()  # another thread may have held them
        self._reconnecting = threading.Lock()
        self._closed = True
        self._lost = "it belongs to the process that this one was forked from"
        self._peer.close()

    # -- requests

    def request(self, name, /, descriptors=(), **content):
        """Sends a request of the protocol and waits: (answer, its descriptors). Raises the error it answers."""
        tag = self._send(name, descriptors, content)
        return self._answer(tag)

    def _send(self, name, descriptors, content, follow=False):
        self._check_open()
        with self._arrival:
            tag = next(self._tags)
            self._awaited[tag] = follow
        try:
            with self._sending:
                _send_message(self._peer, {"request": name, "tag": tag, **content}, descriptors)
        except OSError as error:
            with self._arrival:
                del self._awaited[tag]
                self._lost = self._lost or os.strerror(error.errno or errno.EPIPE)
            self._check_open()
        return tag

    def _answer(self, tag, timeout=None):
        def arrived():
            if tag not in self._awaited and tag not in self._answers:  # asked of a daemon that is gone
                raise self._gone("it closed the connection")
            return self._answers.pop(tag, None)

        try:
            message, descriptors = self._await(arrived, timeout) or (None, [])
        finally:
            with self._arrival:
                self._awaited.pop(tag, None)
                _close_all(self._answers.pop(tag, (None, []))[1])
        if message is None:
            raise TimeoutError
        if "error" in message:
            _close_all(descriptors)
            raise _error_from(message["error"])
        return message, descriptors

    def _check_open(self):
        if self._owner != os.getpid():
            raise UsageError("this connection cannot be used", "it belongs to the process that was forked",
                             "Open a new slab.Connection after the fork.")
        if self._lost is not None:
            raise self._gone(self._lost)

    @staticmethod
    def _gone(why):
        return Interrupted("the daemon went away", why, "Look into the daemon's log, and run the job again.")

    # -- restarts of the daemon

    def _may_reconnect(self):
        return (self._lost is not None and not self._closed and self._embedded is None and self.reconnect_for > 0
                and self._owner == os.getpid())

    def _reconnect(self, generation):
        """Goes on with the next daemon at the same socket, unless another thread has found it since `generation`.
        Raises Interrupted when none comes in time."""
        with self._reconnecting:
            if self._generation != generation:
                return
            lost, deadline = self._lost, time.monotonic() + self.reconnect_for
            absence = ""
            while True:
                try:
                    tag = self._go_on_at(_connect(self._path)[0])
                    self.greeting = self._answer(tag, max(deadline - time.monotonic(), RECONNECT_INTERVAL_S))[0]
                    return
                except (NoDaemon, Interrupted, TimeoutError) as error:
                    absence = str(error).splitlines()[0] if str(error) else "it does not answer"
                if time.monotonic() >= deadline:
                    with self._arrival:
                        self._lost = self._lost or lost
                    raise Interrupted("the daemon went away",
                                      f"it did not come back within {self.reconnect_for:g} s: {absence}",
                                      "Look into the daemon's log; once it runs again, `slab ps` shows its jobs.")
                time.sleep(RECONNECT_INTERVAL_S)

    def _go_on_at(self, peer):
        with self._arrival:
            with contextlib.suppress(OSError):
                self._peer.shutdown(_socket.SHUT_RDWR)
            while self._reading:  # another thread is still about to see the old daemon's end
                self._arrival.wait()
            self._peer.close()
            self._peer = peer
            self._awaited.clear()
            self._followed.clear()
            for _, descriptors in self._answers.values():
                _close_all(descriptors)
            self._answers.clear()
            self._lost = None
            self._generation += 1
            self._arrival.notify_all()
            # Under the lock: hello has to come before what other threads send.
            tag = next(self._tags)
            self._awaited[tag] = False
            try:
                _send_message(peer, {"request": "hello", "tag": tag, **_HELLO})
            except OSError as error:
                self._lost = os.strerror(error.errno or errno.EPIPE)
            return tag

    def _surviving(self, ask):
        """ask(), and again after each restart of the daemon."""
        for losses in itertools.count(1):
            generation = self._generation
            try:
                return ask()
            except Interrupted:
                if self._generation == generation and not self._may_reconnect() or losses > MOST_LOSSES:
                    raise
                self._reconnect(generation)

    def _await(self, ready, timeout=None):
        """Waits until ready() is not None. None when the time is over.

        The first thread to come receives, and delivers for all; when it has what it wants, another takes over.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._arrival:
            while True:
                value = ready()
                if value is not None:
                    return value
                self._check_open()
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return None
                if self._reading:
                    self._arrival.wait(left)
                else:
                    self._receive_for_all(left)

    def _receive_for_all(self, timeout):
        """Called with the lock held; lets go of it while it waits for the socket."""
        self._reading = True
        message, lost = None, None
        self._arrival.release()
        try:
            if timeout is not None and not select.select([self._peer], [], [], timeout)[0]:
                return
            message = _receive_message(self._peer)
            lost = "it closed the connection" if message is None else None
        except OSError as error:
            lost = os.strerror(error.errno or errno.EPIPE)
        except SlabError as error:
            lost = f"{error.what}: {error.because}"
        finally:
            self._arrival.acquire()
            self._reading = False
            if message is not None:
                self._deliver(*message)
            if lost is not None:
                self._lost = self._lost or lost
            self._arrival.notify_all()

    def _deliver(self, message, descriptors):
        job = message.get("job")
        if "event" in message:
            _close_all(descriptors)
            if isinstance(job, dict) and job.get("id") in self._followed:
                self._followed[job["id"]] = job
            return
        tag = message.get("tag")
        if tag is None and "error" in message:  # the daemon could not even read the tag: it closes after this
            self._lost = _error_from(message["error"]).what
        if tag not in self._awaited:
            _close_all(descriptors)
            return
        if self._awaited[tag] and isinstance(job, dict):
            # Here, not in the waiting thread: the next event may arrive before that one wakes.
            self._followed[job["id"]] = job
        self._answers[tag] = (message, descriptors)

    def _unfollow(self, job_id):
        self._followed.pop(job_id, None)

    # -- what users call

    def run(self, kernel, *inputs, out=None, overwrite=False, priority=0, max_memory=None, tile_bytes=None,
            name=None, wait_for_space=False, tables=False, **parameters):
        """See slab.run()."""
        job = self._submit(kernel, inputs, parameters, out, overwrite, linked=True,
                           options=_options(priority, max_memory, tile_bytes, name, wait_for_space))
        try:
            result = self._surviving(job.result)
            return (result, job.tables()) if tables else result
        except BaseException as error:
            if not isinstance(error, SlabError):
                with contextlib.suppress(SlabError):
                    job.cancel()
            raise
        finally:
            job._close_output()
            job._held.close()
            if out is None and job._record["outcome"] == "done":
                with contextlib.suppress(SlabError):
                    job.drop()

    def submit(self, kernel, *inputs, out=None, overwrite=False, priority=0, max_memory=None, tile_bytes=None,
               name=None, wait_for_space=False, note=None, **parameters):
        """See slab.submit()."""
        return self._submit(kernel, inputs, parameters, out, overwrite, linked=False,
                            options=_options(priority, max_memory, tile_bytes, name, wait_for_space), note=note)

    def _submit(self, kernel, inputs, parameters, out, overwrite, linked, options, note=None):
        with contextlib.ExitStack() as at_failure:
            sources = []
            held = at_failure.enter_context(_HeldFiles())
            for source in inputs:
                sources.append(_open_input(source))
                held.add(sources[-1].descriptor)
            request = {**_what_to_run(kernel, parameters, len(sources)), **options,
                       "inputs": [{**source.array, "descriptor": index, "offset": source.offset}
                                  for index, source in enumerate(sources)]}
            output = None
            if out is None and not linked:
                request["keep"] = True  # said, not implied: it outlives this connection
            elif out is not None:
                planned = self.request("plan", **request, output={})[0]["output"]
                output = _OutputFile(out, overwrite, named=not linked)
                at_failure.callback(output.close)
                request["output"] = {"descriptor": len(sources), **output.request(planned)}
                held.set_output(output.descriptor)
            request.update(_note(sources, output, linked) if note is None else {"note": note})
            if linked:
                request.update(linked=True, watch=True)
            try:
                record = self._submit_held(request, held, follow=linked)
            except SlabError:
                raise
            except BaseException:
                # Interrupted before the job's id was known: a linked job ends with the connection at the latest.
                if linked:
                    self.close()
                raise
            job = Job(self, record, output, following=linked, held=held, request=request)
            if output is not None and not linked:
                try:
                    output.commit()
                except UsageError:
                    job.cancel()
                    raise
                output.close()
            at_failure.pop_all()
            return job

    def _submit_held(self, request, held, follow):
        """JOB of a new job. Should the daemon be lost with its answer, the request is sent again under the same
        `submission`: the next daemon may have the job in its journal, and a second one would be a second writer."""
        request["submission"] = secrets.token_hex(16)
        return self._surviving(lambda: self._answer(
            self._send("submit", held.descriptors(), request, follow=follow))[0]["job"])

    def resume(self, job_id):
        """See slab.resume()."""
        record = self.request("show", job=int(job_id))[0]["job"]
        if record["state"] != "interrupted":
            return Job(self, record, None, following=False)
        note = record.get("note")
        if not isinstance(note, dict) or note.get("client") != "slab" or None in note.get("inputs", [None]):
            raise UsageError(f"job {job_id} cannot be resumed by its id alone",
                             "an input was an array in memory, or another program submitted the job",
                             "Drop it and run it again.")
        with contextlib.ExitStack() as at_failure:
            held = at_failure.enter_context(_HeldFiles())
            for path in note["inputs"]:
                held.add(_open_again(path, os.O_RDONLY, "input"))
            fresh = None
            if note.get("output") is not None:
                held_output, fresh = _reopen_output(note)
                if fresh is not None:
                    at_failure.callback(fresh.close)
                    note = {**note, **fresh.note(), "command": "submit"}
                held.set_output(held_output if fresh is None else fresh.descriptor)
                if fresh is None:
                    os.close(held_output)
            output = _WrittenFile(note["output"], note.get("output_format")) if note.get("output") else None
            job = Job(self, record, output, following=False, held=held, request={"output": {}} if output else {})
            resumed = self._surviving(
                lambda: job._resume(watch=False, **({"note": note} if fresh is not None else {})))
            if fresh is not None:
                if resumed:
                    fresh.commit()
                fresh.close()
            at_failure.pop_all()
            return job

    def plan(self, kernel, *inputs, max_memory=None, tile_bytes=None, **parameters):
        """See slab.plan()."""
        return _without_tag(self.request(
            "plan", **_what_to_run(kernel, parameters, len(inputs)),
            inputs=[_describe_input(source) for source in inputs], **_options(0, max_memory, tile_bytes, None))[0])

    def attach(self, job_id):
        """See slab.attach()."""
        answer, descriptors = self.request("attach", job=int(job_id))
        if len(descriptors) != 1:
            _close_all(descriptors)
            raise Interrupted("the daemon sent no descriptor of its volume", f"{len(descriptors)} came with attach")
        return _map_array(answer, descriptors[0])

    def kernels(self, name=None):
        """See slab.kernels()."""
        return self.request("kernels", **({} if name is None else {"name": name}))[0]["kernels"]

    def jobs(self, all=False):
        """See slab.jobs()."""
        return self.request("list", all=bool(all))[0]["jobs"]

    def status(self):
        """See slab.status()."""
        return _without_tag(self.request("status")[0])


class _HeldFiles:
    """The descriptors of a job's files, kept until it has ended: the next daemon may need them."""

    def __init__(self):
        self._inputs, self._output = [], None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def add(self, descriptor):
        self._inputs.append(descriptor)

    def set_output(self, descriptor):
        self._output = os.dup(descriptor)

    def descriptors(self):
        return self._inputs + ([] if self._output is None else [self._output])

    def input_count(self):
        return len(self._inputs)

    def close(self):
        descriptors, self._inputs, self._output = self.descriptors(), [], None
        _close_all(descriptors)


class _WrittenFile:
    """The output of a job that was resumed: under its name already."""

    def __init__(self, path, output_format):
        self.path, self._is_npy, self._is_nifti = path, output_format == "npy", output_format == "nii"

    @property
    def _payload_at(self):
        if not self._is_nifti:
            return HEADER_BYTES if self._is_npy else 0
        with open(self.path, "rb") as file:  # as the daemon wrote it, in this machine's byte order
            header = file.read(176)
        is_first = header[:4] == (348).to_bytes(4, sys.byteorder)
        return int(np.frombuffer(header[108:112], np.float32)[0] if is_first else np.frombuffer(header[168:176], np.int64)[0])

    load = _OutputFile.load

    def remove_if_unchanged(self):
        """It stays: the job may be resumed again."""


def _note(sources, output, linked):
    """The job's note, which common/protocol/README.md describes: what `slab resume` needs."""
    note = {"client": "slab", "command": "run" if linked else "submit", "inputs": [source.path for source in sources],
            "output": None, **({} if output is None else output.note())}
    return {"note": note} if len(json.dumps(note)) <= LONGEST_NOTE else {}


def _open_again(path, flags, what):
    try:
        return os.open(path, flags | os.O_CLOEXEC)
    except OSError as error:
        raise _os_error(f"the {what} {path} cannot be opened", error, "Put it back, then resume again.") from error


def _reopen_output(note):
    """(descriptor, None) of the very file that the job was writing, or (None, a new one) when that is gone."""
    path = note["output"]
    if note["command"] == "submit" and os.path.lexists(path):
        descriptor = _open_again(path, os.O_RDWR, "output")
        facts = os.fstat(descriptor)
        if note.get("output_file") == {"device": str(facts.st_dev), "inode": str(facts.st_ino)}:
            return descriptor, None
        os.close(descriptor)
        if note.get("existing") != "replace":
            raise UsageError(f"{path}: another file is there by now", "the job was writing the one before",
                             "Move it away; then resume makes a new one.")
    return None, _OutputFile(path, note.get("existing") == "replace", named=True)


def _reconnect_patience():
    """Seconds, of $SLABD_RECONNECT."""
    text = os.environ.get("SLABD_RECONNECT") or "60s"
    match = re.fullmatch(r"(\d+)(ms|s|min|h|d)", text)
    if match is None and text != "0":
        raise UsageError("SLABD_RECONNECT is no duration", f"it is '{text}'",
                         "Give it a number and a unit, as 60s or 5min, or 0 for not waiting.")
    return int(match[1]) * {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400}[match[2]] if match else 0


def _options(priority, max_memory, tile_bytes, name, wait_for_space=False):
    chosen = {"priority": int(priority), "max_memory": max_memory, "tile_bytes": tile_bytes, "name": name,
              "wait_for_space": True if wait_for_space else None}
    return {key: value for key, value in chosen.items() if value is not None}


def _parameters(parameters):
    return {name: _plain(value, name) for name, value in parameters.items() if value is not None}


def _what_to_run(kernel, parameters, input_count):
    """The part of JOB REQUEST that says what is computed: a kernel, or the steps of a pipeline."""
    if isinstance(kernel, str):
        return {"kernel": kernel, "parameters": _parameters(parameters)}
    if parameters:
        raise UsageError("a pipeline has no parameters of its own", f"{', '.join(parameters)} was given",
                         "Give them to its steps: slab.step(KERNEL, ...).")
    steps = []
    for number, one in enumerate(kernel):
        if not isinstance(one, step):
            raise UsageError("a pipeline is a list of steps", f"it holds {type(one).__name__}",
                             "Make them with slab.step(KERNEL, ...).")
        steps.append({"name": one.name or f"step {number + 1}", "kernel": one.kernel,
                      "parameters": _parameters(one.parameters)})
    for number, one in enumerate(kernel):
        inputs = one.inputs or ([steps[number - 1]["name"]] if number else range(input_count))
        steps[number]["inputs"] = [{"step": source} if isinstance(source, str) else {"input": int(source)}
                                   for source in inputs]
    return {"steps": steps}


def _without_tag(answer):
    return {key: value for key, value in answer.items() if key not in ("answer", "tag")}


def _describe_input(source):
    """The ARRAY of an input, without its bytes."""
    if isinstance(source, (str, os.PathLike)):
        opened = _input_from_npy(os.fspath(source))
        opened.close()
        return opened.array
    array = np.asarray(source)
    _check_dtype(array.dtype, "the input array")
    return {"dtype": array.dtype.str, "shape": list(array.shape), "order": _order_of(array)}


def _connect(chosen):
    """(a connected socket, its path); (None, None) where no daemon is to be expected. One that exists and refuses is
    an error."""
    for path in [os.fspath(chosen)] if chosen else _usual_sockets():
        peer = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        try:
            peer.connect(path)
            return peer, path
        except (FileNotFoundError, NotADirectoryError):
            peer.close()
        except ConnectionRefusedError:  # its daemon has ended; the next place would be another daemon than was meant
            peer.close()
            break
        except PermissionError as error:
            peer.close()
            raise NoDaemon(f"the daemon at {path} does not let you in", os.strerror(error.errno),
                           "Have yourself added to the socket's group, and log in anew.") from error
        except OSError as error:
            peer.close()
            raise _os_error(f"the daemon at {path} cannot be reached", error,
                            "Look whether slabd runs: systemctl status slabd.", NoDaemon) from error
    if chosen:
        raise NoDaemon(f"no daemon is running at {os.fspath(chosen)}", "nobody listens there",
                       "Start it with: slabd --socket PATH.")
    return None, None


def _usual_sockets():
    if os.environ.get("SLABD_SOCKET"):
        return [os.environ["SLABD_SOCKET"]]
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    own = [os.path.join(runtime, "slabd/slabd.sock")] if runtime else []
    return own + ["/run/slabd/slabd.sock"]


def _start_embedded():
    """A private daemon that serves one connection and ends with it: (our side of it, its process, its log).

    What it logs goes to our stderr with SLABD_LOG set, else into a memfd, for the error when it ends at once.
    """
    program = _find_slabd()
    if program is None:
        raise NoDaemon("no slabd is running here, and the program slabd was not found",
                       "a private daemon would be started from beside `slab`, from PATH, or from $SLABD_PROGRAM",
                       "Install slabd, or set SLABD_PROGRAM to its path.")
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    log = None if "SLABD_LOG" in os.environ else open(os.memfd_create("slabd-log"), "r+b")
    try:
        # A session of its own: Ctrl-C at the terminal is for us, and we cancel in good order.
        process = subprocess.Popen([program, "--embedded", str(theirs.fileno())], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=log, pass_fds=[theirs.fileno()],
                                   start_new_session=True)
    except OSError as error:
        ours.close()
        if log is not None:
            log.close()
        raise _os_error(f"{program} cannot be started", error, "Set SLABD_PROGRAM to the path of slabd.",
                        NoDaemon) from error
    finally:
        theirs.close()
    return ours, process, log


def _find_slabd():
    chosen = os.environ.get("SLABD_PROGRAM")
    if chosen:
        return chosen
    places = []
    client = shutil.which("slab")
    if client:
        beside = os.path.dirname(os.path.realpath(client))
        places += [beside, os.path.join(beside, "../sbin"), os.path.join(beside, "../daemon")]
    places += [os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"]
    return shutil.which("slabd", path=os.pathsep.join(places))


# ----------------------------------------------------------------------------------------------------------- job

class Job:
    """A submitted job. It lives in the daemon: losing this object does not end it.

    id: its number, for `slab show`, slab.attach() and the like.
    """

    def __init__(self, connection, record, output, following, held=None, request=None):
        self._connection = connection
        self._record = record
        self._output = output
        self._output_open = following and output is not None
        self._following = following
        self._generation = connection._generation
        self._held = held or _HeldFiles()
        self._request = request
        self.id = record["id"]
        weakref.finalize(self, connection._unfollow, self.id)
        weakref.finalize(self, self._held.close)

    def __repr__(self):
        return f"<slab.Job {self.id} {self._record['kernel']} {self._record['outcome'] or self._record['state']}>"

    def show(self):
        """The job as the daemon sees it now: the dictionary of `slab show --json`."""
        if self._record["state"] != "ended":
            self._record = self._connection.request("show", job=self.id)[0]["job"]
        return self._record

    def progress(self):
        """The finished share of the job's tiles, 0 to 1."""
        record = self.show()
        if record["outcome"] == "done":
            return 1.0
        return (record["tiles_done"] or 0) / record["tiles"] if record["tiles"] else 0.0

    def wait(self, timeout=None):
        """Waits for the end: the dictionary of `slab show --json`. JobFailed, Cancelled, ... for a job that was
        not done; TimeoutError after that many seconds, the job goes on."""
        if self._record["state"] != "ended":
            deadline = None if timeout is None else time.monotonic() + timeout
            ended = self._connection._surviving(
                lambda: self._wait(None if deadline is None else max(0, deadline - time.monotonic())))
            if ended is None:
                raise TimeoutError(f"job {self.id} has not ended within {timeout} s")
            self._record = ended
            if not (self._request and self._request.get("linked")):  # a lent result may still be lost: see run()
                self._held.close()
        if self._record["outcome"] != "done":
            if self._output is not None and not self._output_open:
                self._output.remove_if_unchanged()
            raise self._failure()
        return self._record

    def _wait(self, timeout):
        if self._generation != self._connection._generation:
            self._find_again()
        self._follow()
        return self._connection._await(self._ended_record, timeout)

    def _find_again(self):
        """After a restart of the daemon: the same job, resumed if it has to be and we have its files."""
        generation, before = self._connection._generation, self._record
        self._following = False
        holds_files = self._request is not None
        try:
            found = self._connection.request("show", job=self.id)[0]["job"]
        except (Interrupted, Cancelled):
            raise
        except SlabError:
            found = None
        # A daemon without a journal counts from 1 again: an id alone is no proof.
        known = found is not None and abs(found["submitted_at"] - before["submitted_at"]) <= SAME_TIME_S
        if known and found["state"] == "ended" and not (holds_files and self._lost_its_result(found)):
            self._record = found
        elif known and found["state"] != "ended" and holds_files:
            self._resume(watch=True)
        elif known and found["state"] == "interrupted":
            raise Interrupted(f"job {self.id} is interrupted", "its daemon ended while it ran",
                              f"Make it go on with slab.resume({self.id}).")
        elif known:
            self._record = found
        elif holds_files and not {"kernel", "steps"}.isdisjoint(self._request) and not before.get("durable"):
            self._submit_again()
        else:
            raise Interrupted(f"the daemon came back without job {self.id}", "the job was not in its journal",
                              "Run it again.")
        self._generation = generation

    def _lost_its_result(self, found):
        """Lent to the connection that was lost, or kept in a volume that is gone."""
        return (found["outcome"] == "done" and "output" not in self._request and found.get("held_bytes") == 0
                and found["bytes_out"] > 0)

    def _submit_again(self):
        """A kernel is pure: same inputs, same result."""
        follow = self._request.get("watch", False)
        self._record = self._connection._submit_held(self._request, self._held, follow=follow)
        self.id = self._record["id"]
        self._following = follow

    def _resume(self, watch, **content):
        """Gives the daemon the job's files again. Whether it uses them."""
        files = self._held.descriptors()
        count = self._held.input_count()
        if len(files) > count:
            content["output"] = {"descriptor": count}
        tag = self._connection._send("resume", files, {
            "job": self.id, "submitted_at": self._record["submitted_at"], "watch": watch,
            "linked": self._request.get("linked", False),
            "inputs": [{"descriptor": index} for index in range(count)], **content}, follow=watch)
        answer = self._connection._answer(tag)[0]
        self._record, self._following = answer["job"], watch
        return answer.get("resumed", True)

    def _follow(self):
        if not self._following and self._record["state"] != "ended":
            tag = self._connection._send("watch", (), {"job": self.id}, follow=True)
            self._connection._answer(tag)
            self._following = True

    def _ended_record(self):
        if self._generation != self._connection._generation:  # another thread has found the next daemon
            raise self._connection._gone("it closed the connection")
        record = self._connection._followed.get(self.id, self._record)
        return record if record["state"] == "ended" else None

    def _failure(self):
        if self._record["error"]:
            return _error_from({"kind": self._record["outcome"], **self._record["error"]})
        kind = _ERROR_TYPES.get(self._record["outcome"], JobFailed)
        return kind(f"job {self.id} was {self._record['outcome']}")

    def cancel(self):
        """Ends the job at the next tile's border and waits for that: the dictionary of `slab show --json`."""
        self._record = self._connection.request("cancel", job=self.id)[0]["job"]
        return self._record

    def result(self):
        """The output as a read-only array, once the job is done: a view of the volume, or a memmap of its file. Of a
        kernel that answers with one number (a fold of everything): that number, as a numpy scalar."""
        self.wait()
        if self._output is None:
            return self._attach()
        if self._output_open:
            self._output.commit()
        return self._output.load(self._record["output"])

    def _attach(self):
        try:
            view = self._connection.attach(self.id)
            is_number = self._record.get("result") is not None and view.size == 1
            return view.reshape(-1)[0] if is_number else view
        except Interrupted:
            if self._request and self._request.get("linked"):
                self._record = {**self._record, "state": "received", "outcome": None}  # the result was lent: again
            raise

    def tables(self):
        """What the job tells beside its output, once it is done: a dictionary of 2-D arrays of float64, for instance
        `motion` of realign (`slab kernels realign` says what its columns are). Most jobs tell none."""
        told = self.wait().get("result")
        return {name: np.array(rows, dtype=np.float64) for name, rows in told.items()} if isinstance(told, dict) else {}

    def drop(self):
        """Gives a kept result back to the daemon. Views of it stay valid; their memory returns with the last."""
        self._connection.request("drop", job=self.id)

    def _close_output(self):
        if self._output_open:
            self._output_open = False
            self._output.close()


# ------------------------------------------------------------------------------------- the process's own connection

_shared = None
_shared_guard = threading.Lock()


def _connection(daemon=False):
    global _shared
    with _shared_guard:
        if _shared is None or not _shared.is_open or (daemon and _shared.is_embedded):
            _shared = Connection(daemon=daemon)
        return _shared


def _after_fork_in_child():
    global _shared, _shared_guard
    for connection in list(_open_connections):
        connection._forget_in_child()
    _shared, _shared_guard = None, threading.Lock()


def _at_exit():
    for connection in list(_open_connections):
        if connection._owner == os.getpid():
            connection.close()


os.register_at_fork(after_in_child=_after_fork_in_child)
atexit.register(_at_exit)


class step:
    """One kernel of a pipeline.

    inputs: names of other steps, and numbers of the job's own inputs (0 is the first). Without them: the output of the
        step before; of the first step all inputs of the job. Exactly one step's output must be used by no other.
    name: how other steps and errors call it; "step 1", "step 2" and so on unless given.
    """

    def __init__(self, kernel, *inputs, name=None, **parameters):
        self.kernel, self.inputs, self.name, self.parameters = kernel, inputs, name, parameters


def run(kernel, *inputs, out=None, overwrite=False, priority=0, max_memory=None, tile_bytes=None, name=None,
        wait_for_space=False, daemon=False, tables=False, **parameters):
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
    tables: True: return the output and, as a dictionary of arrays, what the job tells beside it: Job.tables().
    parameters: the kernel's, as `slab kernels NAME` lists them; one value for all axes or a sequence with one each;
        a flag is True or False; axes are an index or a sequence of them, negative ones counting from the end; a table
        (a matrix, a transform for each frame) is a 2-D array, nested lists, or an array of shape (n, 4, 4): a matrix for
        each row. A plain list is one row. numpy.loadtxt reads rp_*.txt and .par.

    Raises UsageError, Refused, JobFailed, Cancelled, NoDaemon, Interrupted. Ctrl-C cancels the job.
    """
    return _connection(daemon).run(kernel, *inputs, out=out, overwrite=overwrite, priority=priority,
                                   max_memory=max_memory, tile_bytes=tile_bytes, name=name,
                                   wait_for_space=wait_for_space, tables=tables, **parameters)


def submit(kernel, *inputs, out=None, overwrite=False, priority=0, max_memory=None, tile_bytes=None, name=None,
           wait_for_space=False, daemon=False, note=None, **parameters):
    """Starts what run() runs, and returns a Job at once.

    Without `out` the result stays in the volume until Job.drop(). With it the file is there from the start, and
    becomes a valid .npy at the end: its header is written last. note: a dictionary that the daemon gives back in the
    job's record, instead of what resume() needs. (A private daemon, and its jobs, end with this
    process.)
    """
    return _connection(daemon).submit(kernel, *inputs, out=out, overwrite=overwrite, priority=priority,
                                      max_memory=max_memory, tile_bytes=tile_bytes, name=name,
                                      wait_for_space=wait_for_space, note=note, **parameters)


def resume(job_id, daemon=False):
    """Makes an interrupted job go on with the files that it was submitted with: its Job. What `slab resume` does."""
    return _connection(daemon).resume(job_id)


def attach(job_id, daemon=False):
    """The kept result of a job (`slab run --keep`, submit()) as a read-only array: the very memory, no copy.

    The array keeps its memory by itself, also when the job is dropped and the daemon gone.
    """
    return _connection(daemon).attach(job_id)


def plan(kernel, *inputs, max_memory=None, tile_bytes=None, daemon=False, **parameters):
    """What run() would do: a dictionary with the output's dtype and shape, tiles, and bytes held of the volume."""
    return _connection(daemon).plan(kernel, *inputs, max_memory=max_memory, tile_bytes=tile_bytes, **parameters)


def kernels(name=None, daemon=False):
    """The daemon's kernels (or the one of that name) with their parameters: a list of dictionaries."""
    return _connection(daemon).kernels(name)


def jobs(all=False, daemon=False):
    """The daemon's jobs as a list of dictionaries (`slab ps --json`); all: also those that have ended."""
    return _connection(daemon).jobs(all)


def status(daemon=False):
    """The daemon's workers, volume and queue: the dictionary of `slab status --json`."""
    return _connection(daemon).status()
