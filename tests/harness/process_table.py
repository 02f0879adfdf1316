"""What /proc tells of processes."""

import os
import pathlib


def process_state(pid):
    """The letter of /proc/PID/stat ('T': stopped, 'Z': dead and not reaped), or None when there is no such process."""
    fields = _stat_fields(pid)
    return fields[0] if fields else None


def _stat_fields(pid):
    try:
        content = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return content[content.rindex(")") + 2:].split()  # the name before may contain blanks and parentheses


def process_title(pid):
    """What `ps` shows: "slabd: worker 3 (cpu 5)"."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def processes_of_session(session):
    """Living processes of a session. A daemon is started as the leader of its own, and its children stay in it
    whoever adopts them."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat_fields(name)
            if fields and int(fields[3]) == session and fields[0] not in "ZX":
                found.append(int(name))
    return found


def children_of(pid):
    """Living children of a process."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat_fields(name)
            if fields and int(fields[1]) == pid and fields[0] not in "ZX":
                found.append(int(name))
    return found


def open_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory_kib(pid, field):
    """A field of /proc/PID/status: "RssAnon", "RssShmem", ..."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise KeyError(field)
