"""Command lines of engines in the pages of the plug-ins."""

from __future__ import annotations

import re
import shlex

from tests.plugins.test_pages import PAGES

# What a user puts in the place of the words that only a user knows.
KNOWN = {"NODE_RANK": "1", "HEAD_NODE:PORT": "127.0.0.1:5000", "HEAD_NODE": "127.0.0.1"}


def known(words: list[str], model: str) -> list[str]:
    """Words of a command with the placeholders replaced."""
    return [{**KNOWN, "MODEL": model}.get(word, word) for word in words]


def commands(engine: str, *starts: str) -> list[list[str]]:
    """Words behind the start of each command of a page that begins so, without variables in front of it."""
    text = "\n".join(re.findall(r"^```(?:bash|console)\n(.*?)^```", (PAGES / f"{engine}.md").read_text(), re.M | re.S))
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        line = re.sub(r"^(?:\w+=\S+ )*", "", line)
        found += [shlex.split(line.removeprefix(start)) for start in starts if line.startswith(f"{start} ")]
    return found
