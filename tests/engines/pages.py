"""Command lines of engines in the pages of the plug-ins."""

from __future__ import annotations

import re
import shlex
from itertools import takewhile

from tests.plugins.test_pages import PAGES

# What a user puts in the place of the words that only a user knows.
KNOWN = {"NODE_RANK": "1", "HEAD_NODE:PORT": "127.0.0.1:5000", "HEAD_NODE": "127.0.0.1"}


def known(words: list[str], model: str) -> list[str]:
    """Words of a command with the placeholders replaced."""
    return [{**KNOWN, "MODEL": model}.get(word, word) for word in words]


def commands(engine: str, *starts: str) -> list[tuple[list[str], dict[str, str]]]:
    """Of each command of a page that begins so: the words behind that, and the variables in front of it."""
    text = "\n".join(re.findall(r"^```(?:bash|console)\n(.*?)^```", (PAGES / f"{engine}.md").read_text(), re.M | re.S))
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line)
        variables = dict(word.split("=", 1) for word in takewhile(re.compile(r"\w+=").match, words))
        del words[: len(variables)]
        found += [
            (words[len(start.split()) :], variables) for start in starts if words[: len(start.split())] == start.split()
        ]
    return found
