"""A file system that stops answering, as a network mount does whose server went away.

    with HangingFuse(size_bytes=1 << 20, hang={"flush"}) as mount:
        ... open mount.path / "data", or create files beside it ...
        mount.wait_until_hung("flush")
        mount.release()         # everything that hangs is answered, and nothing hangs from now on

Requests that can hang: HANGABLE below. "fsync" is also what fdatasync() sends.

The server is a process of its own: when it ends, the kernel fails whatever still waits for it, and it ends when its
standard input closes. So a test that dies in any way leaves no mount and no process that cannot be killed.
A process must not touch a file here that hangs unless another one can release it: the wait cannot be interrupted, not
even by SIGKILL.

As a program (what the C++ tests use): hanging_fuse.py DIRECTORY SIZE_BYTES [REQUEST,...]
It says "ready", then "hung REQUEST" for each request that it holds back, and obeys the lines "hang REQUEST,..." and
"release", which it repeats when done.
"""

import ctypes
import errno
import os
import pathlib
import select
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time

# ------------------------------------------------------------------------------- the protocol: linux/fuse.h, 7.31

OPCODES = {"lookup": 1, "forget": 2, "getattr": 3, "setattr": 4, "unlink": 10, "rename": 12, "open": 14, "read": 15,
           "write": 16, "statfs": 17, "release": 18, "fsync": 20, "flush": 25, "init": 26, "opendir": 27,
           "readdir": 28, "releasedir": 29, "fsyncdir": 30, "access": 34, "create": 35, "interrupt": 36, "destroy": 38,
           "batch_forget": 42, "fallocate": 43, "rename2": 45, "tmpfile": 51}
NAMES = {code: name for name, code in OPCODES.items()}
HANGABLE = ("open", "read", "write", "flush", "release", "fsync", "setattr", "getattr", "statfs", "create", "unlink",
            "rename", "fallocate")
UNANSWERED = ("forget", "batch_forget", "interrupt")

REQUEST_HEADER = struct.Struct("<IIQQIIII")  # length, opcode, unique, node, uid, gid, pid, padding
ANSWER_HEADER = struct.Struct("<IiQ")        # length, minus errno, unique
ATTRIBUTES = struct.Struct("<6Q10I")
ASYNC_READ, BIG_WRITES, MAX_PAGES = 1 << 0, 1 << 5, 1 << 22
LONGEST_WRITE = 1 << 20
SETS_MODE, SETS_UID, SETS_GID, SETS_SIZE = 1, 2, 4, 8
RENAME_NOREPLACE = 1
ROOT = 1

MS_NOSUID, MS_NODEV, MNT_DETACH = 2, 4, 2
libc = ctypes.CDLL(None, use_errno=True)


class File:
    def __init__(self, number, size_bytes, uid, gid, mode):
        self.number = number
        self.content = tempfile.TemporaryFile(buffering=0)
        self.content.truncate(size_bytes)
        self.uid, self.gid, self.mode = uid, gid, mode

    def attributes(self):
        status = os.fstat(self.content.fileno())
        now = int(time.time())
        return ATTRIBUTES.pack(self.number, status.st_size, status.st_blocks, now, now, now, 0, 0, 0,
                               stat.S_IFREG | self.mode, 1, self.uid, self.gid, 0, 4096, 0)


def root_attributes():
    return ATTRIBUTES.pack(ROOT, 4096, 8, 0, 0, 0, 0, 0, 0, stat.S_IFDIR | 0o777, 2, 0, 0, 0, 4096, 0)


class Server:
    def __init__(self, directory, size_bytes, hanging):
        self.directory = directory
        self.hanging = set(hanging)
        self.held = []  # answers that are kept back
        self.files = {}  # by node number; unlinked ones stay for who has them open
        self.by_name = {"data": self.new_file(size_bytes, 0, 0, 0o666)}
        self.device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self.device},rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions"
        if libc.mount(b"hanging", os.fsencode(directory), b"fuse.hanging", MS_NOSUID | MS_NODEV,
                      options.encode()) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"mounting on {directory}: {os.strerror(code)}")

    def new_file(self, size_bytes, uid, gid, mode):
        file = File(ROOT + 1 + len(self.files), size_bytes, uid, gid, mode)
        self.files[file.number] = file
        return file

    def serve(self):
        print("ready", flush=True)
        commands = b""
        while True:
            readable, _, _ = select.select([self.device, 0], [], [])
            if 0 in readable:
                received = os.read(0, 4096)
                if not received:
                    return
                *lines, commands = (commands + received).split(b"\n")
                for line in lines:
                    self.obey(line.decode())
            if self.device in readable:
                try:
                    request = os.read(self.device, LONGEST_WRITE + 4096)
                except OSError as error:
                    if error.errno == errno.ENODEV:
                        return  # unmounted
                    if error.errno in (errno.ENOENT, errno.EINTR, errno.EAGAIN):
                        continue  # the request was taken back
                    raise
                self.take(request)

    def obey(self, line):
        command, _, requests = line.partition(" ")
        if command == "hang":
            self.hanging = set(requests.split(","))
        elif command == "release":
            self.hanging = set()
            held, self.held = self.held, []
            for answer in held:
                self.send(answer)
        print(line, flush=True)

    def send(self, answer):
        try:
            os.write(self.device, answer)
        except FileNotFoundError:
            pass  # nobody waits for it any more

    def take(self, request):
        _, code, unique, node, uid, gid, _, _ = REQUEST_HEADER.unpack_from(request)
        name = NAMES.get(code, str(code))
        if name in UNANSWERED:
            return
        act = getattr(self, name, None)
        try:
            body = act(node, request[REQUEST_HEADER.size:], uid, gid) if act else None
            failure = 0 if act else errno.ENOSYS
        except OSError as error:
            body, failure = None, error.errno
        body = body or b""
        answer = ANSWER_HEADER.pack(ANSWER_HEADER.size + len(body), -failure, unique) + body
        if name in self.hanging:
            self.held.append(answer)
            print("hung", name, flush=True)
        else:
            self.send(answer)

    # One method a request: takes node, the request's body, uid and gid; returns the answer's body or raises OSError.

    def init(self, node, body, uid, gid):
        _, _, readahead, _ = struct.unpack_from("<4I", body)
        return struct.pack("<4I2H2I2H8I", 7, 31, readahead, ASYNC_READ | BIG_WRITES | MAX_PAGES, 64, 48,
                           LONGEST_WRITE, 1, LONGEST_WRITE // 4096, 0, *[0] * 8)

    def entry(self, file):
        return struct.pack("<4Q2I", file.number, 1, 1, 1, 0, 0) + file.attributes()

    def named(self, name):
        file = self.by_name.get(name)
        if file is None:
            raise OSError(errno.ENOENT, name)
        return file

    def lookup(self, node, body, uid, gid):
        return self.entry(self.named(text_of(body)))

    def getattr(self, node, body, uid, gid):
        return struct.pack("<Q2I", 1, 0, 0) + (root_attributes() if node == ROOT else self.files[node].attributes())

    def setattr(self, node, body, uid, gid):
        valid, size = struct.unpack_from("<I12xQ", body)
        mode, _, new_uid, new_gid = struct.unpack_from("<4I", body, 68)
        if node != ROOT:
            file = self.files[node]
            if valid & SETS_SIZE:
                os.ftruncate(file.content.fileno(), size)
            if valid & SETS_MODE:
                file.mode = mode & 0o7777
            if valid & SETS_UID:
                file.uid = new_uid
            if valid & SETS_GID:
                file.gid = new_gid
        return self.getattr(node, b"", uid, gid)

    def unlink(self, node, body, uid, gid):
        self.named(text_of(body))
        del self.by_name[text_of(body)]

    def rename(self, node, body, uid, gid, flags=0, names_at=8):
        old, new = (part.decode() for part in body[names_at:].split(b"\0")[:2])
        file = self.named(old)
        if flags == RENAME_NOREPLACE and new in self.by_name:
            raise OSError(errno.EEXIST, new)
        if flags not in (0, RENAME_NOREPLACE):
            raise OSError(errno.EINVAL, "rename flags")
        del self.by_name[old]
        self.by_name[new] = file

    def rename2(self, node, body, uid, gid):
        self.rename(node, body, uid, gid, flags=struct.unpack_from("<8xI", body)[0], names_at=16)

    def open(self, node, body, uid, gid):
        return struct.pack("<Q2I", node, 0, 0)

    opendir = open

    def create(self, node, body, uid, gid):
        mode, umask = struct.unpack_from("<4x2I", body)
        name = text_of(body[16:])
        if name in self.by_name:
            raise OSError(errno.EEXIST, name)
        self.by_name[name] = file = self.new_file(0, uid, gid, mode & ~umask & 0o7777)
        return self.entry(file) + self.open(file.number, b"", uid, gid)

    def read(self, node, body, uid, gid):
        offset, size = struct.unpack_from("<8xQI", body)
        return os.pread(self.files[node].content.fileno(), size, offset)

    def write(self, node, body, uid, gid):
        offset, size = struct.unpack_from("<8xQI", body)
        return struct.pack("<2I", os.pwrite(self.files[node].content.fileno(), body[40:40 + size], offset), 0)

    def statfs(self, node, body, uid, gid):
        blocks = (1 << 40) // 4096
        return struct.pack("<5Q4I24x", blocks, blocks, blocks, 1 << 20, 1 << 20, 4096, 255, 4096, 0)

    def readdir(self, node, body, uid, gid):
        offset, size = struct.unpack_from("<8xQI", body)
        answer = b""
        for number, (name, file) in enumerate(list(self.by_name.items())[offset:], offset + 1):
            encoded = name.encode()
            item = struct.pack("<2Q2I", file.number, number, len(encoded), stat.S_IFREG >> 12) + encoded
            item += b"\0" * (-len(item) % 8)
            if len(answer) + len(item) > size:
                break
            answer += item
        return answer

    def done(self, node, body, uid, gid):
        return b""

    flush = release = releasedir = fsync = fsyncdir = access = destroy = done

    def fallocate(self, node, body, uid, gid):
        raise OSError(errno.EOPNOTSUPP, "fallocate")

    tmpfile = fallocate


def text_of(body):
    return body.split(b"\0", 1)[0].decode()


# ------------------------------------------------------------------------------- for the tests

def why_not_here():
    """Why no HangingFuse can be made on this machine; None: it can."""
    if os.geteuid() != 0:
        return "a hanging FUSE mount needs root"
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        return f"a hanging FUSE mount needs /dev/fuse ({error.strerror}); try modprobe fuse"
    return None


class HangingFuse:
    PATIENCE_S = 60.0

    def __init__(self, size_bytes=1 << 20, hang=()):
        self.size_bytes = size_bytes
        self.first_hanging = self._checked(hang)
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="hanging-fuse."))
        self.data = self.path / "data"
        self.said = []
        self.news = threading.Condition()

    def __enter__(self):
        self.server = subprocess.Popen(
            [sys.executable, "-B", __file__, str(self.path), str(self.size_bytes), ",".join(self.first_hanging)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            self._wait_for("ready")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.server.kill()  # closes its device: the kernel fails every request that waits
        self.server.wait()
        self.server.stdin.close()
        libc.umount2(os.fsencode(self.path), MNT_DETACH)
        self.path.rmdir()

    def hang(self, *requests):
        """From now on exactly these requests hang; what hangs already, stays so."""
        self._command("hang " + ",".join(self._checked(requests)))

    def release(self):
        """Answers all that hangs. Nothing hangs afterwards."""
        self._command("release")

    def wait_until_hung(self, request, times=1):
        """Until so many requests of this kind have hung since the mount was made."""
        self._wait_for(f"hung {request}", times)

    def hung(self, request):
        """How many requests of this kind have hung since the mount was made."""
        with self.news:
            return self.said.count(f"hung {request}")

    @staticmethod
    def _checked(requests):
        requests = sorted(requests)
        unknown = set(requests) - set(HANGABLE)
        if unknown:
            raise ValueError(f"cannot hang {unknown}; can: {HANGABLE}")
        return requests

    def _command(self, line):
        with self.news:
            before = self.said.count(line)
        self.server.stdin.write(line + "\n")
        self.server.stdin.flush()
        self._wait_for(line, before + 1)

    def _listen(self):
        with self.server.stdout:
            for line in self.server.stdout:
                with self.news:
                    self.said.append(line.strip())
                    self.news.notify_all()
        with self.news:
            self.said.append("ended")
            self.news.notify_all()

    def _wait_for(self, line, times=1):
        with self.news:
            if not self.news.wait_for(lambda: self.said.count(line) >= times or "ended" in self.said,
                                      self.PATIENCE_S) or self.said.count(line) < times:
                raise AssertionError(f"the hanging file system did not say {line!r} {times} times, but {self.said}")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the test, which then ends this one
    mountpoint, bytes_of_data, *requests_to_hang = sys.argv[1:]
    server = Server(mountpoint, int(bytes_of_data), filter(None, ",".join(requests_to_hang).split(",")))
    try:
        server.serve()
    finally:
        os.close(server.device)
        libc.umount2(os.fsencode(mountpoint), MNT_DETACH)
