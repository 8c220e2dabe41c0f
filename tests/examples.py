"""How many examples a property is tried on: few in the default run, many in a soak."""

from __future__ import annotations

from hypothesis import settings

# Of a test that does not say how many, in the default run and in a soak.
FEW, MANY = 30, 150


def examples(number: int) -> settings:
    """So many in the default run; elsewhere as many times more, or fewer, as the profile in force has them."""
    return settings(max_examples=max(number * settings.default.max_examples // FEW, 1))
