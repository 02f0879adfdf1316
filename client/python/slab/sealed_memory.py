"""Bytes that travel to another process as a descriptor."""

import fcntl
import os


def sealed_memfd(name, content):
    """A memfd that holds these bytes (any contiguous buffer) and that nobody can change any more."""
    memfd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        rest = memoryview(content)
        while rest.nbytes:
            rest = rest[os.write(memfd, rest):]
        seal(memfd)
        return memfd
    except BaseException:
        os.close(memfd)
        raise


def seal(memfd):
    fcntl.fcntl(memfd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
