"""Blocks: what a report says, in order, before anyone asks in which format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Text:
    """A paragraph; words between backticks are code."""

    text: str
    kind: str = "text"


@dataclass(frozen=True)
class Items:
    """Terms, each with what is to be said about it."""

    items: tuple[tuple[str, str], ...]
    kind: str = "items"


@dataclass(frozen=True)
class Table:
    """Rows of words.

    Attributes
    ----------
    caption
        What it shows.
    header, rows
        Cells, as text.
    names
        So many columns on the left are names; the others are numbers, aligned to the right.
    long
        Whether it is a list to look things up in, which gets a box of its own to scroll.
    cards
        Whether each row becomes a card where the page is narrow, as cells are sentences or many.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int = 1
    long: bool = False
    cards: bool = False
    kind: str = "table"


@dataclass(frozen=True)
class Picture:
    """A figure.

    Attributes
    ----------
    caption
        What it shows.
    description
        The same for those who cannot see it, with what is to be seen.
    draw
        Draws it on axes.
    height
        In inches.
    """

    caption: str
    description: str
    draw: Callable[[Axes], object]
    height: float = 3.6
    kind: str = "picture"


@dataclass(frozen=True)
class Commands:
    """Lines for a shell or a program, each under its title."""

    lines: tuple[tuple[str, str], ...]
    kind: str = "commands"


@dataclass(frozen=True)
class Download:
    """A file that the page holds; a format without files leaves it out."""

    name: str
    label: str
    content: bytes
    media_type: str = "application/json"
    kind: str = "download"


Block = Text | Items | Table | Picture | Commands | Download


@dataclass(frozen=True)
class Section:
    """Blocks under a title; `key` is its address on the page."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Figure:
    """Something that changes: what it is, by how much, in which unit, and what is to be known with it."""

    label: str
    value: str
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Tile:
    """One of the main numbers: what it is of, the number, what is to be known with it, and the colour in figures."""

    title: str
    number: str
    note: str
    colour: str
