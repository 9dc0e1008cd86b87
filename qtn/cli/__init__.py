"""The command line: thin commands over the library."""

import contextlib
import os
import signal
import sys

_owned = False
"""Whether this process is that of a command, and ends with it."""


def main() -> None:
    """Run `qtn`: exit 0 when done, 2 on bad input, 1 on anything unexpected, 130 when interrupted."""
    global _owned
    try:
        _owned = True
        from qtn.cli.app import run

        code = run()
        ignore_interrupts()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:  # before the first command, or for the second time
        code = 130
    if code == 130:
        leave(code)
    sys.exit(code)


def ignore_interrupts() -> None:
    """Let Ctrl-C change nothing any more: the work is done, and Python only takes itself apart."""
    if _owned:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def leave(code: int) -> None:
    """End this process at once: devices may still compute, and what they use must not be taken apart under them."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
