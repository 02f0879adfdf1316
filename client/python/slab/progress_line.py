"""How far a job is, on one line of standard error."""

import sys
import time


class ProgressLine:
    """A bar on a terminal; elsewhere a line every few seconds."""

    def __init__(self, wanted, name):
        self._wanted, self._name = wanted, name
        self._is_terminal = wanted and sys.stderr is not None and sys.stderr.isatty()
        self._next = time.monotonic() + (0 if self._is_terminal else 5)

    def show(self, record):
        if not self._wanted or sys.stderr is None or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + (0.1 if self._is_terminal else 5)
        share = record["tiles_done"] / record["tiles"] if record["tiles"] else 0.0
        if self._is_terminal:
            done = int(share * 30)
            sys.stderr.write(f"\r{self._name} [{'#' * done}{' ' * (30 - done)}] {100 * share:3.0f} % {record['state']} ")
        else:
            sys.stderr.write(f"{self._name}: {100 * share:.0f} % {record['state']}\n")
        sys.stderr.flush()

    def end(self):
        if self._is_terminal:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
