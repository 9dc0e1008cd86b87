"""The command line: thin commands over the library."""

import os
import sys


def main() -> None:
    """Run `qtn`: exit 0 when done, 2 on bad input, 1 on anything unexpected, 130 when interrupted."""
    from qtn.cli.app import run

    try:
        sys.exit(run())
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
