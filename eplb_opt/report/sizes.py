"""Deployments side by side: the figure, and what they say in words."""

from __future__ import annotations

from collections.abc import Iterator
from math import nan
from typing import TYPE_CHECKING, Any

from eplb_opt.report.data import rows_of
from eplb_opt.report.words import percent_at_least, percent_at_most, plural

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

# Parts of a load or a time that are worth a sentence.
_WORTH_SAYING = 0.005
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

Row = dict[str, Any]


def chosen(sizes: pd.DataFrame) -> list[Row]:
    """For each number of GPUs the deployment to plan: the fewest slots of the fastest, where milliseconds are known.

    Else of the policy with the coolest plan: the knee, or that plan where there is none.
    """
    found: list[Row] = []
    for _, family in sizes.groupby("gpus", sort=False):
        rows = rows_of(family)
        if _timed(rows):
            found.append(_fastest(rows))
            continue
        coolest = max(rows, key=lambda row: float(row["balancedness"]))
        found.append(next((row for row in rows if row["knee"] and row["policy"] == coolest["policy"]), coolest))
    return found


def _timed(rows: list[Row]) -> bool:
    """Whether the milliseconds of all of them are known."""
    return all(row.get("milliseconds", nan) == row.get("milliseconds", nan) for row in rows)


def _fastest(rows: list[Row]) -> Row:
    """The fewest slots of those within what is worth a sentence of the least milliseconds."""
    least = min(row["milliseconds"] for row in rows)
    near = [row for row in rows if row["milliseconds"] <= least * (1 + _WORTH_SAYING)]
    return min(near, key=lambda row: int(row["slots_per_gpu"]))


def size_words(sizes: pd.DataFrame) -> list[str]:
    """What the frame of `eplb_opt.size` says: the knee of each policy, what policies, slots and time decide."""
    families = [
        (f"{plural(rows[0]['gpus'], 'GPU')}, {rows[0]['policy']}", rows)
        for rows in (rows_of(family) for _, family in sizes.groupby(["gpus", "policy"], sort=False))
    ]
    said = [sentence for name, rows in families for sentence in _knee_words(name, rows)]
    said += [sentence for _, rows in sizes.groupby("gpus", sort=False) for sentence in _policy_words(rows_of(rows))]
    return [*said, *_memory_words(rows_of(sizes)), *_time_words(rows_of(sizes))]


def _knee_words(name: str, rows: list[Row]) -> Iterator[str]:
    """From where on more slots are not worth it, and what the slots before that are worth."""
    knee = next((place for place, row in enumerate(rows) if row["knee"]), None)
    if knee is None:
        last = rows[-1]
        leave = "leaves" if last["slots_per_gpu"] == 1 else "leave"
        # Where more slots might not help either, a longer search may still find what is left.
        way_out = "search longer, or try" if last["gap"] > last["to_gain"] / 2 else "try"
        yield (
            f"{name}: {_slots(last)} {leave} {percent_at_most(last['to_gain'])} of the hottest GPU's load to gain: "
            f"{way_out} larger sizes."
        )
        return
    row = rows[knee]
    most = percent_at_most(row["to_gain"])
    yield (
        f"{name}: {_slots(row)} {_are(row)} enough for balance. More gain {most} of the hottest GPU's load, whatever "
        "their number: the bound says so."
    )
    if knee:
        before = rows[knee - 1]
        gain = 1 - row["imbalance"] / before["bound"]
        if gain > 0:
            yield f"{name}: {_slots(row)} gain {percent_at_least(gain)} or more over any plan with {_slots(before)}."


def _policy_words(rows: list[Row]) -> Iterator[str]:
    """What the hierarchical policy costs at the same number of slots, by its bound and the other's plan."""
    best = {(row["policy"], row["slots_per_gpu"]): row for row in rows}
    pairs = [(row, best.get(("global", size))) for (policy, size), row in best.items() if policy == "hierarchical"]
    for row, other in [*(pair for pair in pairs if pair[0]["knee"]), *pairs[-1:]][:1]:
        if other is not None and row["bound"] / other["imbalance"] - 1 > _WORTH_SAYING:
            least = row["bound"] / other["imbalance"] - 1
            yield (
                f"{plural(row['gpus'], 'GPU')}: groups bound to nodes cost {percent_at_least(least)} or more on the "
                f"hottest GPU, with {_slots(row)}."
            )


def _memory_words(rows: list[Row]) -> Iterator[str]:
    """What a further slot per GPU costs, where the model tells."""
    if not rows or rows[0]["gib"] != rows[0]["gib"]:
        return
    slot = rows[0]["gib"] / rows[0]["slots_per_gpu"]
    taken = max(rows, key=lambda row: float(row["kv_tokens"]))
    fewest = -(-(taken["slots"] - taken["redundant"]) // taken["gpus"])
    spare = taken["slots_per_gpu"] - fewest
    room = f", room for {taken['kv_tokens'] / spare:,.0f} tokens of KV cache" if taken["kv_tokens"] > 0 else ""
    yield f"A further slot per GPU takes {slot:.2f} GiB of each GPU{room}."


def _time_words(rows: list[Row]) -> Iterator[str]:
    """The fastest deployment of each number of GPUs, and by how much the bounds rule out that others are faster."""
    if not rows or "milliseconds" not in rows[0]:
        return
    for gpus in dict.fromkeys(row["gpus"] for row in rows):
        alike = [row for row in rows if row["gpus"] == gpus]
        if not _timed(alike):
            yield f"{plural(gpus, 'GPU')}: this dispatch leaves open which replicas are active, so times are not known."
            continue
        fastest = _fastest(alike)
        floor = min(row["least_milliseconds"] for row in alike)
        yield (
            f"{plural(gpus, 'GPU')}: {_slots(fastest)}, {fastest['policy']}, {_are(fastest)} the fewest of the "
            f"fastest: experts take {fastest['milliseconds']:.2f} ms of a step. No plan of a listed size takes less "
            f"than {floor:.2f} ms."
        )


def _slots(row: Row) -> str:
    return f"{plural(row['slots_per_gpu'], 'slot')} per GPU"


def _are(row: Row) -> str:
    return "is" if row["slots_per_gpu"] == 1 else "are"


def plot_sizes(sizes: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Plans and their bounds over slots per GPU, a colour for each number of GPUs and policy; a ring at the knee.

    `sizes` as from `eplb_opt.size`; draws on `ax`, or where pyplot does. Milliseconds of a step where they are known,
    else max load / mean load.
    """
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.gca()
    timed = "milliseconds" in sizes and bool(sizes["milliseconds"].notna().all())
    value, bound = ("milliseconds", "least_milliseconds") if timed else ("imbalance", "bound")
    for place, ((gpus, policy), rows) in enumerate(sizes.groupby(["gpus", "policy"], sort=False)):
        colour = _COLOURS[place % len(_COLOURS)]
        ax.plot(rows["slots_per_gpu"], rows[value], marker="o", color=colour, label=f"{gpus} GPUs, {policy}")
        ax.plot(rows["slots_per_gpu"], rows[bound], linestyle="--", linewidth=1, color=colour)
        knee = rows[rows["knee"]]
        ax.plot(
            knee["slots_per_gpu"],
            knee[value],
            linestyle="none",
            marker="o",
            markersize=13,
            markerfacecolor="none",
            color=colour,
        )
    ax.set_xticks(sorted(set(sizes["slots_per_gpu"])))
    ax.set_xlabel("slots per GPU (ring: from here on more slots are not worth it)")
    ax.set_ylabel("experts of a step, ms (dashed: bound)" if timed else "max load / mean load (dashed: bound)")
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    return ax
