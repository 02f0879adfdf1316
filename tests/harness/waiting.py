"""Waiting for what another process does: no test sleeps a fixed time."""

import time

# Twenty times what anything here takes on an idle machine: a deadline is for what hangs, not a measurement.
PATIENCE_S = 60.0
POLL_S = 0.002


def wait_until(condition, what, deadline_s=PATIENCE_S):
    """The first true value of condition(); AssertionError naming `what` after the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s:g} s: {what}")
        time.sleep(POLL_S)
