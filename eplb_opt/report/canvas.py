"""Canvas: a figure as SVG that takes its ink from the page around it."""

from __future__ import annotations

import re
from html import escape
from io import StringIO
from typing import Any

from eplb_opt.report.blocks import Picture
from eplb_opt.report.colours import BLUE

# Drawn in this colour, and in the reader's colour of text once it is on the page.
_INK = "#010203"
# In inches and points: as wide as the page, and as wide as a telephone.
WIDE, NARROW = (9.3, 10.0), (3.6, 8.5)


def draw(picture: Picture, width: float, font_size: float, key: str) -> str:
    """The picture as an ``<svg>`` element, as wide as its place; `key` sets its ids apart from those of others."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    settings: Any = _settings(font_size)
    with rc_context(settings):
        sheet = Figure(figsize=(width, picture.height), layout="constrained")
        picture.draw(sheet.subplots())
        stream = StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        sheet.savefig(stream, format="svg", transparent=True, metadata=nothing)
    return _inline(stream.getvalue(), picture.description, key)


def live_colours(text: str) -> str:
    """Colours that change with the reader's background, as the page's style sheet has them."""
    return re.sub(BLUE, "var(--blue)", text.replace(_INK, "currentColor"), flags=re.IGNORECASE)


def _settings(font_size: float) -> dict[str, Any]:
    inks = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "grid.color")
    return {
        **dict.fromkeys(inks, _INK),
        "axes.titlecolor": _INK,
        "axes.linewidth": 0.8,
        "font.size": font_size,
        "axes.labelsize": font_size,
        "legend.fontsize": font_size,
        # Names of files may have dollar signs.
        "text.parse_math": False,
        "svg.fonttype": "none",
        "svg.hashsalt": "eplb_opt",
    }


def _inline(svg: str, description: str, key: str) -> str:
    """An SVG file as an element of a page: no prologue, no metadata, no style sheet, ids of its own, live ink."""
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>|<style\b.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda found: _own_id(found[1], used, key), svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{key}-", svg)
    box = re.search(r'viewBox="([^"]+)"', svg)
    inside = svg[svg.index(">") + 1 :]
    inside = live_colours(inside)
    # Fonts are the reader's; sizes stay.
    inside = re.sub(r"font: ([\d.]+px) [^;\"]+", r"font-size: \1", inside)
    inside = re.sub(r"font-family: [^;\"]+;? ?", "", inside)
    inside = re.sub(r"\s*\n\s*", "\n", inside)
    label = escape(description, quote=True)
    links = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {links} viewBox="{box[1] if box else ""}" role="img" aria-label="{label}">{inside}'


def _own_id(name: str, used: set[str], key: str) -> str:
    return f' id="{key}-{name}"' if name in used else ""
