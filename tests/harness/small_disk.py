"""A small file system of its own, on a loop device, that a test can fill.

    with SmallDisk(directory, "ext2", 64 << 20) as disk:
        disk.fill(leaving=10 << 20)     # another writer takes what is left
        ...
        disk.free()                     # and gives it back

ext2 cannot reserve space (fallocate is EOPNOTSUPP): a full disk shows while writing. ext4 can.
"""

import errno
import os
import pathlib
import shutil
import subprocess

PIECE = 1 << 20


def why_not_here():
    """Why no SmallDisk can be made on this machine; None: it can."""
    if os.geteuid() != 0:
        return "a small disk on a loop device needs root"
    missing = [program for program in ("mkfs.ext2", "mkfs.ext4", "mount", "umount") if not _path_of(program)]
    if missing:
        return f"{missing[0]} is not installed (packages e2fsprogs and mount)"
    if not os.path.exists("/dev/loop-control"):
        return "there are no loop devices here"
    return None


def _path_of(program):
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


class SmallDisk:
    def __init__(self, directory, kind, size_bytes):
        self.kind, self.size_bytes = kind, size_bytes
        self.image = pathlib.Path(directory) / f"{kind}.image"
        self.path = pathlib.Path(directory) / f"{kind}.disk"
        self.filler = self.path / "another-writers"

    def __enter__(self):
        with self.image.open("wb") as image:
            image.truncate(self.size_bytes)
        # No blocks kept for root, and no room beyond the data's that comes and goes.
        options = ["-E", "lazy_itable_init=0,nodiscard"] + (["-O", "^has_journal"] if self.kind == "ext4" else [])
        self._run(f"mkfs.{self.kind}", "-q", "-F", "-m", "0", "-N", "64", *options, self.image)
        self.path.mkdir()
        self._run("mount", "-o", "loop", self.image, self.path)
        shutil.rmtree(self.path / "lost+found", ignore_errors=True)
        return self

    def __exit__(self, *_):
        subprocess.run([_path_of("umount"), "-l", self.path], check=False)
        self.path.rmdir()
        self.image.unlink()

    def free_bytes(self):
        status = os.statvfs(self.path)
        return status.f_bavail * status.f_frsize

    def fill(self, leaving=0):
        """Takes all that is free but so many bytes."""
        with self.filler.open("ab", buffering=0) as file:
            try:
                while self.free_bytes() > leaving:
                    file.write(b"\1" * min(PIECE, self.free_bytes() - leaving))
                    os.fsync(file.fileno())
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def free(self):
        self.filler.unlink()

    @staticmethod
    def _run(program, *arguments):
        ended = subprocess.run([_path_of(program), *map(str, arguments)], capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise AssertionError(f"{program} {arguments}: {ended.stderr}")
