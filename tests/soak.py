"""Soak: property tests with new examples and all attacks in turn, for as long as one wants.

``python -m tests.soak --seconds 3600 --seed 0`` ends with 1 at the first failure, and has printed the command that
repeats it. The default run of the tests draws the same examples every time, so that it fails for whoever broke
something; here each round draws others. ``nice -n 19`` in front of it leaves the machine to others.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from time import monotonic

# Seconds of an attack in each round, more or less; the property tests of a round take a few minutes.
TURN = 120


def rounds(first: int) -> Iterator[list[str]]:
    """Commands of one round after the other, each round with the next seed."""
    for seed in count(first):
        number = str(seed)
        # Without a limit of time for each test: there are more examples, and the machine may be busy or sleep.
        options = ["--timeout", "0", "--hypothesis-profile", "soak", "--hypothesis-seed", number]
        yield ["pytest", "-m", "hypothesis", "-x", *options]
        yield ["tests.attack_producers", "--seconds", str(TURN), "--seed", number]
        yield ["tests.attack_window_nodes", "--layers", str(TURN * 20), "--seed", number]
        yield ["tests.attack_bound", "--layers", str(TURN * 400), "--seed", number]
        yield ["tests.attack_bound", "--medium", str(TURN // 4), "--batch", "10", "--seed", number]
        yield ["tests.attack_heuristics", "--layers", str(TURN * 1000), "--workers", "1", "--seed", number]
        yield ["tests.attack_certificates", "--instances", str(TURN * 100), "--workers", "1", "--seed", number]


def run(command: list[str], seconds: float) -> int | None:
    """Exit code of a command, or nothing if it had to be ended after so many seconds."""
    # A group, and no session: what was said with `nice` goes for it too.
    with subprocess.Popen(command, process_group=0) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            # Its workers go with it.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def main() -> int:
    """Run until the time is over or something fails, which is 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--seed", type=int, default=0, help="of the first round")
    options = parser.parse_args()
    end = monotonic() + options.seconds
    for words in rounds(options.seed):
        command = [sys.executable, "-m", *words]
        print(f"\n{max(end - monotonic(), 0):,.0f} s left: {shlex.join(command)}", flush=True)
        code = run(command, max(end - monotonic(), 0.0))
        if code is None:
            print("the time is over: nothing was found")
            return 0
        if code:
            print(f"failed with {code}: {shlex.join(command)}")
            return 1
    raise AssertionError("rounds do not end")


if __name__ == "__main__":
    sys.exit(main())
