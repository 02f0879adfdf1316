"""What can go wrong: every error is a SlabError."""

import os


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


ERROR_TYPES = {error.kind: error for error in (UsageError, Refused, JobFailed, NoDaemon, Interrupted, Cancelled)}


def error_from(answer):
    """The exception of an error object of the protocol."""
    return ERROR_TYPES.get(answer.get("kind"), JobFailed)(
        answer.get("what", ""), answer.get("because") or "", answer.get("remedy") or "")


def os_error(what, error, remedy="", kind=UsageError):
    return kind(what, os.strerror(error.errno) if error.errno else str(error), remedy)
