"""Waits for a condition with a deadline; the only place of the tests that polls."""
import time

POLL_S = 0.02


def wait_for(condition, deadline_s=30.0, what=None):
    """Calls `condition` until it returns something true, and returns that.

    `what` says in words what was waited for; a callable is asked at the end, to show the state.
    """
    end = time.monotonic() + deadline_s
    pause = POLL_S
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            words = what() if callable(what) else what
            raise AssertionError(f"not within {deadline_s} s: {words or condition}")
        time.sleep(pause)
        pause = min(pause * 1.3, 0.25)
