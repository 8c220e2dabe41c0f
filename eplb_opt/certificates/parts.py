"""Parts: all whole numbers within ranges, divided in two until each part is by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from eplb_opt.certificates.error import CertificateError
from eplb_opt.certificates.layer import Ranges
from eplb_opt.certificates.limit import WorkLimit

# In nanoseconds, for a place of a part.
_PER_PLACE = 20


def divided(parts: Sequence[Any], whole: Ranges, limit: WorkLimit) -> Iterator[tuple[Any, Ranges]]:
    """What is said of each part, and the ranges of that part, one after the other.

    ``[place, number]`` divides a part: what comes next is about those with at most `number` at that place, what comes
    after that about those with more. Anything else is about the part as it is. A part may have nothing in it.

    Raises
    ------
    CertificateError
        A part of which nothing is said, or something that is about no part; or it is more work than the limit.
    """
    pending = [whole]
    for said in parts:
        if not pending:
            raise CertificateError("there are more parts than ranges were divided into")
        limit.spend(_PER_PLACE * len(whole[0]))
        least, most = pending.pop()
        if not (isinstance(said, list) and len(said) == 2):
            yield said, (least, most)
            continue
        place, number = said
        if type(place) is not int or type(number) is not int or not 0 <= place < len(least) or number < 0:
            raise CertificateError("a part is divided by something else than natural numbers")
        pending.append((_with(least, place, max(least[place], number + 1)), most))
        pending.append((least, _with(most, place, min(most[place], number))))
    if pending:
        raise CertificateError("nothing is said of some parts")


def _with(values: tuple[int, ...], place: int, value: int) -> tuple[int, ...]:
    return (*values[:place], value, *values[place + 1 :])
