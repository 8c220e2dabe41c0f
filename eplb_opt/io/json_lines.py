"""JSON lines: text that holds a JSON value on every line, such as the records of a logger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from eplb_opt.errors import FileFormatError
from eplb_opt.files import decode, parse_json

# Whole JSON documents may be one line: what is longer is not the first record of many.
_LONGEST_FIRST = 2**26


@dataclass(frozen=True)
class JsonLines:
    """The values of JSON lines, read line by line whenever they are gone through.

    Attributes
    ----------
    name
        The path, for messages.
    open
        The bytes, from their beginning.
    first
        The first value.
    """

    name: str
    open: Callable[[], BinaryIO]
    first: Any

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """Number and value of each line that is not blank.

        Raises
        ------
        FileFormatError
            A line that is no JSON. Of a last line without its end the message says so: whoever wrote it was stopped.
            It is refused, as nothing else tells a recording that was cut short from a whole one.
        """
        with self.open() as stream:
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                where = f"{self.name} line {number}"
                try:
                    value = parse_json(decode(line, where), where)
                except FileFormatError:
                    if line.endswith(b"\n"):
                        raise
                    raise FileFormatError(
                        f"{where} is cut off, its writer was stopped; remove this last line to read those before it"
                    ) from None
                yield number, value


def json_lines(open_bytes: Callable[[], BinaryIO], name: str) -> JsonLines | None:
    """The lines of a text whose first line alone is complete JSON and that has more; else nothing."""
    with open_bytes() as stream:
        line = b"\n"
        while line and not line.strip():
            line = stream.readline(_LONGEST_FIRST)
        if not (line.endswith(b"\n") and any(more.strip() for more in stream)):
            return None
    try:
        return JsonLines(name, open_bytes, parse_json(decode(line, name), name))
    except FileFormatError:
        return None
