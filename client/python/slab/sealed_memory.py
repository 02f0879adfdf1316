"""Bytes that travel to another process as a descriptor."""

import errno
import fcntl
import os
import time

_PAUSES_S = [0.001 * 2 ** n for n in range(10)]


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
    """From here on nobody can change the memfd. Nobody may have it mapped for writing.

    The kernel refuses for as long as it holds a page itself, for instance to move it elsewhere: that is waited for.
    """
    for pause_s in _PAUSES_S:
        try:
            return _add_seals(memfd)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
        time.sleep(pause_s)
    return _add_seals(memfd)


def _add_seals(memfd):
    fcntl.fcntl(memfd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
