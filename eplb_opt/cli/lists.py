"""Options that are lists, as text: names, numbers and ranges of them."""

from __future__ import annotations

from eplb_opt.errors import InvalidArgumentError
from eplb_opt.layers import MOST_LAYERS


def names_of(text: str | None) -> list[str] | None:
    """``"lpt, snake"`` as ``["lpt", "snake"]``."""
    return None if text is None else [name.strip() for name in text.split(",")]


def layer_ids_of(text: str | None) -> tuple[int, ...] | None:
    """``"3-5,8"`` as ``(3, 4, 5, 8)``."""
    return None if text is None else whole_numbers_of("--layer-ids", text, MOST_LAYERS)


def whole_numbers_of(option: str, text: str, most: int = 1_000) -> tuple[int, ...]:
    """``"3-5,8"`` as ``(3, 4, 5, 8)``; a range has at most so many."""
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        try:
            span = range(int(first), int(last) + 1) if dash else [int(first)]
        except ValueError:
            raise InvalidArgumentError(f"{option} {text}: {part!r} is neither a number nor a range a-b") from None
        if not 0 < len(span) <= most:
            raise InvalidArgumentError(f"{option} {text}: {part!r} is not a range from low to high of at most {most}")
        numbers.extend(span)
    return tuple(numbers)


def numbers_of(option: str, text: str | None) -> list[float] | None:
    """``"1,0.5"`` as ``[1.0, 0.5]``."""
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InvalidArgumentError(f"{option} {text} is not a list of numbers such as 1,0.5") from None
