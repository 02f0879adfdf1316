"""The files that results are written to."""

import base64
import contextlib
import errno
import os
import time

import numpy as np

from slab.errors import UsageError, os_error
from slab.npy_format import HEADER_BYTES, npy_header


class OutputFile:
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
            raise os_error(what, error, "Check the directory.") from error
        try:
            self.descriptor = self._create_named() if named else self._create_unnamed()
        except OSError as error:
            os.close(self._directory)
            raise os_error(what, error, "Choose a directory that you may write to.") from error

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
        return {"offset": HEADER_BYTES, "header": base64.b64encode(npy_header(array)).decode()}

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
            raise os_error(f"the output {self.path} cannot be written", error) from error
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
