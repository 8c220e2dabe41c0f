"""Copying: what the moves between two plans cost and save, in sentences that commands share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil, nan

from eplb_opt.report.words import plural


def copying_words(summary: Mapping[str, float], bandwidth: float | None) -> Iterator[str]:
    """Batches, GiB, milliseconds of a step and when copying has paid: what a `summarise_diff` has of them."""
    moves = summary["moves"]
    if moves:
        yield (
            f"Batches of copies: {summary['batches']:,.0f}, in a layer at most {summary['most_batches']:,.0f}. In each "
            "a GPU sends at most one expert and receives at most one."
        )
    if "gib" in summary:
        yield f"To copy: {summary['gib']:,.1f} GiB of weights."
    if "milliseconds_before" in summary:
        yield from _time_words(summary)
    if bandwidth is not None and moves:
        yield from _paying_words(summary, bandwidth)


def _time_words(summary: Mapping[str, float]) -> Iterator[str]:
    before, after, saved = (summary[f"milliseconds_{name}"] for name in ("before", "after", "saved"))
    if saved != saved:
        yield "Milliseconds of a step are not known: no load, or a dispatch that leaves open which replicas are active."
        return
    change = f"{saved:.3f} ms less" if saved > 0 else f"{-saved:.3f} ms more" if saved < 0 else "the same"
    yield f"Experts of a step take {before:.2f} ms before and {after:.2f} ms after: {change}."


def _paying_words(summary: Mapping[str, float], bandwidth: float) -> Iterator[str]:
    yield (
        f"Copying takes {summary['seconds_to_copy']:.2f} s at {bandwidth:g} GB/s per GPU, layer by layer and batch by "
        "batch."
    )
    saved = summary.get("milliseconds_saved", nan)
    if saved > 0:
        yield f"It has paid after {plural(ceil(summary['steps_to_break_even']), 'step')}."
    elif saved <= 0:
        yield "It does not pay: a step takes no less time."
