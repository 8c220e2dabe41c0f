"""Keys: the values of a model's configuration, a Hugging Face ``config.json``."""

from __future__ import annotations

import os
import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eplb_opt.arguments import list_few
from eplb_opt.errors import FileFormatError
from eplb_opt.files import parse_json, read_text
from eplb_opt.io.record import Record

# Beyond all sizes of models.
_LIMIT = 2**31
# Where models of several modalities keep what is about text.
_NESTED = ("text_config", "llm_config", "language_config")


@dataclass(frozen=True)
class Keys:
    """Values by key, of the text part and of the whole; null is as good as no value.

    Attributes
    ----------
    name
        The path, for messages.
    text
        The part with the decoder's layers.
    whole
        The document; the same in models of text alone.
    """

    name: str
    text: dict[str, Any]
    whole: dict[str, Any]

    def given(self, *keys: str) -> list[str]:
        """Which of `keys` the text part has a value for."""
        return [key for key in keys if self.text.get(key) is not None]

    def value(self, key: str) -> Any:
        """Value of the text part, else of the whole; None without one."""
        found = self.text.get(key)
        return self.whole.get(key) if found is None else found

    def count(self, *keys: str, least: int = 1) -> int | None:
        """The integer that one of `keys`, or several that agree, say; None where none does.

        Raises
        ------
        FileFormatError
            A value that is no integer, or below `least`, or that no model has; or two that differ.
        """
        given = self.given(*keys)
        for key in given:
            if type(self.text[key]) is not int or not least <= self.text[key] < _LIMIT:
                raise self.wrong(key, f"an integer from {least} to {_LIMIT - 1}")
        for key in given[1:]:
            if self.text[key] != self.text[given[0]]:
                raise FileFormatError(
                    f"{self.name}: {given[0]!r} is {self.text[given[0]]} and {key!r} is {self.text[key]}, and both say "
                    "the same"
                )
        return self.text[given[0]] if given else None

    def need(self, *keys: str, why: str = "") -> int:
        """The same, where a value is needed: a `FileFormatError` names the keys and says `why`."""
        found = self.count(*keys)
        if found is None:
            raise FileFormatError(f"{self.name} has no key {' or '.join(map(repr, keys))}{why}")
        return found

    def row(self, key: str, kinds: tuple[Any, ...], length: int) -> list[Any]:
        """The list under `key`, one of `kinds` for each of `length` layers, else a `FileFormatError`."""
        row = self.text[key]
        if not isinstance(row, list) or any(not isinstance(kind, str | int) or kind not in kinds for kind in row):
            raise self.wrong(key, f"a list of {list_few([repr(kind) for kind in kinds])}")
        if len(row) != length:
            raise FileFormatError(f"{self.name}: {key!r} has {len(row)} entries, and the model {length} layers")
        return row

    def wrong(self, key: str, expected: str) -> FileFormatError:
        """What to raise for a value that is not as `expected`."""
        return FileFormatError(f"{self.name}: {key!r} is {reprlib.repr(self.text[key])}, not {expected}")


def read_keys(path: str | os.PathLike[str]) -> Keys:
    """Keys of a configuration, with the quantization that a ``hf_quant_config.json`` beside it says.

    Raises
    ------
    FileFormatError
        A file that cannot be read, or is no object.
    """
    record = _record(Path(path))
    whole = record.values
    beside = Path(path).with_name("hf_quant_config.json")
    if beside.is_file() and whole.get("quantization_config") is None:
        whole |= {"quantization_config": _record(beside).record("quantization").values}
    for key in _NESTED:
        if whole.get(key) is not None and whole.get("num_hidden_layers") is None:
            return Keys(str(path), record.record(key).values, whole)
    return Keys(str(path), whole, whole)


def _record(path: Path) -> Record:
    # Python writes these files, Infinity included.
    return Record(str(path), parse_json(read_text(path), str(path), infinity=True))
