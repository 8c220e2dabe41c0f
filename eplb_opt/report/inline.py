"""Inline marks of sentences: words between backticks are code, words between asterisks are stressed."""

from __future__ import annotations

import re
from html import escape

_CODE = re.compile(r"`([^`]*)`")
_STRESS = re.compile(r"\*([^*]+)\*")


def as_html(text: str) -> str:
    """A sentence as HTML, everything else in it escaped."""
    parts = _CODE.split(text)
    # Numbers and their per cent stay on one line.
    plain = (_STRESS.sub(r"<em>\1</em>", escape(part)).replace(" %", "\u00a0%") for part in parts[::2])
    code = (f"<code>{escape(part)}</code>" for part in parts[1::2])
    return "".join(_alternating(list(plain), list(code)))


def lines_as_html(text: str) -> str:
    """Commands as HTML: broken at spaces only, as a break at a hyphen looks like one of its own."""
    return "".join(f'<span class="line">{_unbroken(line)}\n</span>' for line in text.splitlines())


def as_cell(text: str) -> str:
    """A sentence as a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("\n", " ")


def _unbroken(line: str) -> str:
    return re.sub(r"\S+", lambda found: f"<span>{escape(found[0])}</span>", line)


def _alternating(first: list[str], second: list[str]) -> list[str]:
    mixed = [part for pair in zip(first, second, strict=False) for part in pair]
    return mixed + first[len(second) :]
