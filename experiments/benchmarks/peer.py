"""Run a program of peers/ in the Python of another virtual environment."""

import json
import subprocess
from pathlib import Path
from typing import Any

PEERS = Path(__file__).parent / "peers"
NOT_INSTALLED = "not installed"
LONGEST = 600
"""Seconds after which a peer is given up."""


class PeerError(RuntimeError):
    """A peer gave no result; the message is a few words that fit a table."""


def run_peer(python: str, script: str, *arguments: Any) -> dict[str, Any]:
    """Return what the last line of a peer says, JSON.

    Args:
        python: interpreter with the peer.
        script: name of a file in peers/.
        arguments: its command line.

    Raises:
        PeerError: it is not installed, crashes, fails or takes too long.
    """
    command = [python, str(PEERS / script), *map(str, arguments)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST)
    except subprocess.TimeoutExpired:
        raise PeerError(f"no result in {LONGEST} s") from None
    if done.returncode < 0:
        raise PeerError("crashes")
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["says nothing"])[-1]
        raise PeerError(NOT_INSTALLED if why.startswith("ModuleNotFoundError") else f"fails: {why.split(':')[0]}")
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, json.JSONDecodeError):
        raise PeerError("prints no result") from None
