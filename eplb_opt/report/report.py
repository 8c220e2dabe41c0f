"""Report: plans against the proven bound, as data frames and as two kinds of text."""

from __future__ import annotations

from eplb_opt.report.data import ReportData
from eplb_opt.report.markdown import markdown_of
from eplb_opt.report.page import page_of
from eplb_opt.report.verdict import verdict_of


class Report(ReportData):
    """What `eplb_opt.report.make_report` found out, with the attributes of `ReportData`, and how it is written."""

    def __str__(self) -> str:
        return " ".join(verdict_of(self).sentences)

    def __repr__(self) -> str:
        return f"<Report: {self}>"

    def to_html(self) -> str:
        """One self-contained page: no scripts, no network, figures inside."""
        return page_of(self)

    def to_markdown(self) -> str:
        """The same facts as Markdown, without figures."""
        return markdown_of(self)
