"""A report as one HTML page that needs nothing but itself."""

from __future__ import annotations

from base64 import b64encode
from importlib.resources import files
from itertools import count

from eplb_opt.errors import MissingPackageError
from eplb_opt.report.blocks import Download, Picture
from eplb_opt.report.canvas import NARROW, WIDE, draw, live_colours
from eplb_opt.report.data import ReportData
from eplb_opt.report.inline import as_html, lines_as_html
from eplb_opt.report.sections import TITLE, sections_of, subtitle_of
from eplb_opt.report.verdict import verdict_of

_TEMPLATE = "page.html.jinja"


def page_of(report: ReportData) -> str:
    """The page; a `MissingPackageError` where Jinja2 is not installed."""
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError:
        raise MissingPackageError("the page of a report needs Jinja2: pip install jinja2") from None
    from markupsafe import Markup

    numbers = count(1)

    def figure(picture: Picture) -> Markup:
        number = next(numbers)
        wide = draw(picture, *WIDE, key=f"w{number}")
        narrow = draw(picture, *NARROW, key=f"n{number}")
        return Markup(f'<div class="wide">{wide}</div><div class="narrow">{narrow}</div>')

    def address(download: Download) -> str:
        return f"data:{download.media_type};base64,{b64encode(download.content).decode()}"

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    environment.filters["inline"] = lambda text: Markup(as_html(text))
    environment.filters["live"] = live_colours
    environment.filters["lines"] = lambda text: Markup(lines_as_html(text))
    template = environment.from_string(files("eplb_opt.report").joinpath(_TEMPLATE).read_text(encoding="utf-8"))
    return template.render(
        title=TITLE,
        subtitle=subtitle_of(report),
        verdict=verdict_of(report),
        sections=sections_of(report),
        figure=figure,
        address=address,
    )
