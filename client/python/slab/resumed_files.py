"""The files of a job that goes on after its daemon was gone: found again by its note."""

import os
import sys

import numpy as np

from slab.errors import UsageError, os_error
from slab.npy_format import HEADER_BYTES
from slab.outputs import OutputFile


class WrittenFile:
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

    load = OutputFile.load

    def remove_if_unchanged(self):
        """It stays: the job may be resumed again."""


def open_again(path, flags, what):
    try:
        return os.open(path, flags | os.O_CLOEXEC)
    except OSError as error:
        raise os_error(f"the {what} {path} cannot be opened", error, "Put it back, then resume again.") from error


def reopen_output(note):
    """(descriptor, None) of the very file that the job was writing, or (None, a new one) when that is gone."""
    path = note["output"]
    if note["command"] == "submit" and os.path.lexists(path):
        descriptor = open_again(path, os.O_RDWR, "output")
        facts = os.fstat(descriptor)
        if note.get("output_file") == {"device": str(facts.st_dev), "inode": str(facts.st_ino)}:
            return descriptor, None
        os.close(descriptor)
        if note.get("existing") != "replace":
            raise UsageError(f"{path}: another file is there by now", "the job was writing the one before",
                             "Move it away; then resume makes a new one.")
    return None, OutputFile(path, note.get("existing") == "replace", named=True)
