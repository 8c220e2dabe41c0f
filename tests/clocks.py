"""Clocks in tests: seconds that are promised are held to the letter on an idle machine, and tenfold on any other.

``pytest --idle`` says that the machine has nothing else to do.
"""

SLACK = 10.0
# A process that has to start, to end or to say something gets as long as this: no promise, only an end of waiting.
LONG = 120.0


def patience(seconds: float) -> float:
    """How long something may take here that is promised to take at most ``seconds``."""
    return SLACK * seconds
