"""A report as Markdown."""

from __future__ import annotations

from eplb_opt.report.blocks import Block, Commands, Items, Table, Text
from eplb_opt.report.data import ReportData
from eplb_opt.report.inline import as_cell
from eplb_opt.report.sections import TITLE, sections_of, subtitle_of
from eplb_opt.report.verdict import verdict_of


def markdown_of(report: ReportData) -> str:
    """Everything but figures and files."""
    verdict = verdict_of(report)
    parts = [f"# {TITLE}", f"{subtitle_of(report)}.", *verdict.sentences]
    if verdict.figures:
        figures = tuple((each.label, f"{each.value} {each.unit}", each.note) for each in verdict.figures)
        parts.append(_table(Table("What changes.", ("what", "by", ""), figures)))
    if verdict.tiles:
        rows = tuple((tile.title, tile.number, tile.note) for tile in verdict.tiles)
        parts.append(_table(Table(verdict.measure, ("plan", "above the mean", ""), rows)))
    for section in sections_of(report):
        parts.append(f"## {section.title}")
        parts += [text for text in map(_block, section.blocks) if text]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, Text):
        return block.text
    if isinstance(block, Items):
        return "\n".join(f"- **{term}**: {words}" for term, words in block.items)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Commands):
        return "\n\n".join(f"{title}:\n\n```sh\n{lines}\n```" for title, lines in block.lines)
    return ""


def _table(table: Table) -> str:
    marks = ["---" if column < table.names else "---:" for column in range(len(table.header))]
    rows = [tuple(map(as_cell, row)) for row in (table.header, *table.rows)]
    lines = [f"| {' | '.join(row)} |" for row in (rows[0], marks, *rows[1:])]
    return table.caption + "\n\n" + "\n".join(lines)
