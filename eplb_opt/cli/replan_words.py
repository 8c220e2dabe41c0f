"""What replan says: what is lost, the plan between what runs and what is proven, and plans of more and more moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eplb_opt.cli.copying import copying_words
from eplb_opt.cli.tables import Format, show, show_table
from eplb_opt.layers import describe_ids
from eplb_opt.loads import Loads
from eplb_opt.plan import Plan
from eplb_opt.replan_diff import lost_experts_of
from eplb_opt.replan_points import replan_point, replan_summary
from eplb_opt.replanned import Replan
from eplb_opt.report.replans import worth_words
from eplb_opt.report.verdict import NOTHING, measure_words, word_of_solvers
from eplb_opt.report.words import percent, percent_at_least, plural, value_and_bound
from eplb_opt.solution import percent as gap_percent

if TYPE_CHECKING:
    import pandas as pd

# Layers with the most moves.
_FEW = 5
# Columns of a layer as people read them: heading and format.
_LAYERS: dict[str, tuple[str, Format]] = {
    "max_moves": ("at most", ",.0f"),
    "layer_id": ("layer_id", ""),
    "experts_lost": ("lost", ""),
    "moves": ("moves", ""),
    "moves_bound": ("needed", ""),
    "imbalance_before": ("max/mean before", ".5f"),
    "imbalance_after": ("max/mean", ".5f"),
    "batches": ("batches", ""),
    "gib": ("GiB", ",.2f"),
    "microseconds_before": ("us before", ",.1f"),
    "microseconds_after": ("us", ",.1f"),
    "proof": ("bound by", ""),
}
# The same of plans.
_POINTS: dict[str, tuple[str, Format]] = {
    "max_moves": ("at most", ",.0f"),
    "moves": ("moves", ",.0f"),
    "imbalance": ("max/mean", ".5f"),
    "bound": ("bound", ".5f"),
    "gap": ("gap", gap_percent),
    "moves_bound": ("moves needed", ",.0f"),
    "batches": ("batches", ",.0f"),
    "gib": ("GiB", ",.1f"),
    "milliseconds": ("ms/step", ".2f"),
    "seconds_to_copy": ("s to copy", ".2f"),
    "steps_to_break_even": ("steps to pay", ",.0f"),
}


@dataclass(frozen=True)
class Told:
    """A replan and what is told about it.

    Attributes
    ----------
    found
        The plan.
    frame
        Its layers, as from `eplb_opt.replan_diff.replan_diff`.
    bandwidth
        GB/s of weights of each GPU, if known.
    target
        The gap to the bound on all plans that each layer was to reach; ``None`` where moves were limited.
    """

    found: Replan
    frame: pd.DataFrame
    bandwidth: float | None
    target: float | None

    @property
    def summary(self) -> dict[str, float]:
        """Figures over layers."""
        return replan_summary(self.found, self.frame, self.bandwidth)

    @property
    def point(self) -> dict[str, Any]:
        """The plan in one row."""
        return replan_point(self.found, self.frame, self.bandwidth)


def points_of(told: Sequence[Told]) -> pd.DataFrame:
    """A row per plan."""
    import pandas as pd

    return pd.DataFrame([one.point for one in told])


def layers_of(told: Sequence[Told]) -> pd.DataFrame:
    """A row per plan and layer; of several plans with the limit of each."""
    import pandas as pd

    frames = [one.frame for one in told]
    if len(told) > 1:
        frames = [one.frame.assign(max_moves=one.found.max_moves) for one in told]
    return pd.concat(frames, ignore_index=True)


def show_lost(told: Told, lost: Sequence[int], old: Plan, rows: str) -> None:
    """What existed on lost GPUs only, and what the others have and carry before any move."""
    found = told.found
    gone, gpus = sorted(set(lost)), found.plan.deployment.num_gpus
    names = f"GPU {gone[0]} is" if len(gone) == 1 else f"GPUs {', '.join(map(str, gone[:-1]))} and {gone[-1]} are"
    experts = lost_experts_of(found)
    of_layer = told.frame["experts_lost"]
    affected = int((of_layer > 0).sum())
    only = (
        f"{plural(len(experts), 'expert')} in {plural(affected, 'layer')} existed there only, in a layer at most "
        f"{of_layer.max()}"
        if experts
        else "every expert has a replica elsewhere"
    )
    total = found.plan.num_layers * found.plan.num_experts
    show(
        f"{names} lost; {only}. The {plural(gpus, 'GPU')} left hold {total - len(experts):,} of {total:,} experts in "
        f"{found.plan.physical_to_logical.size:,} of {_replicas(old, found):,} slots."
    )
    if experts and rows == "all":
        for layer_id in dict.fromkeys(layer for layer, _ in experts):
            show(f"  layer {layer_id}: {describe_ids(tuple(one for layer, one in experts if layer == layer_id))}")
    show(_survivors_words(told, gpus))
    show("")


def _replicas(old: Plan, found: Replan) -> int:
    return found.plan.num_layers * old.deployment.num_slots


def _survivors_words(told: Told, gpus: int) -> str:
    whole = told.frame[told.frame["imbalance_before"].notna()]
    if whole.empty:
        return "No layer with load has all its experts: what survivors carry before any move is not known."
    hottest = whole.iloc[int(whole["imbalance_before"].to_numpy().argmax())]
    return (
        f"Before any move the hottest survivor carries {whole['imbalance_before'].mean():.3f} times the mean of "
        f"{plural(gpus, 'GPU')}, in layer {hottest['layer_id']:.0f} {hottest['imbalance_before']:.3f} times: means "
        f"over the {len(whole)} of {plural(len(told.frame), 'layer')} with load where every expert survives."
    )


def show_plan(told: Told, loads: Loads, old_name: Path, rows: str) -> None:
    """Rows of layers, and the verdict on one plan."""
    found = told.found
    _show_layers([told], rows)
    show(str(found))
    show("")
    for line in _verdict(told, loads, old_name):
        show(line)


def show_points(told: Sequence[Told], points: pd.DataFrame, rows: str) -> None:
    """A row per plan, and which of them looks worth its moves."""
    if rows == "all":
        _show_layers(told, rows)
    _show(points, _POINTS)
    show("")
    before = points["imbalance_before"][0]
    if before == before:
        show(f"As it is the hottest GPU carries {before:.5f} times the mean.")
    show("bound: no plan with so many moves is below, which is proven" + _word([one.found for one in told]) + ".")
    show("moves needed: no plan as cool has fewer, which is proven too.")
    if not points["imbalance"].isna().any():
        show(worth_words(points))


def _show_layers(told: Sequence[Told], rows: str) -> None:
    frame = layers_of(told)
    if not frame["experts_lost"].any():
        frame = frame.drop(columns="experts_lost")
    frame = frame.drop(columns=[name for name in frame if str(name).endswith("_before") and frame[name].isna().all()])
    shown = frame if rows == "all" else frame[frame["moves"] > 0].nlargest(_FEW, "moves").sort_index()
    if shown.empty:
        return
    _show(shown, _LAYERS)
    left = len(frame) - len(shown)
    show("" if not left else f"above: the {len(shown)} layers with the most moves; --rows all shows all {len(frame)}\n")


def _show(frame: pd.DataFrame, columns: dict[str, tuple[str, Format]]) -> None:
    names = {name: heading for name, (heading, _) in columns.items() if name in frame}
    show_table(frame[list(names)].rename(columns=names), {columns[name][0]: columns[name][1] for name in names})


def _verdict(told: Told, loads: Loads, old_name: Path) -> Iterator[str]:
    """The table and the sentences on one plan."""
    found = told.found
    moves, slots = found.moves, found.plan.physical_to_logical.size
    if not loads.loaded.any():
        yield NOTHING
        return
    excess, least, free = (
        found.imbalance_of(value) - 1 for value in (found.value, found.bound_in_all, found.free_bound)
    )
    value, bound = value_and_bound(excess, least)
    before = found.value_before
    table = [
        (f"this plan: {plural(moves, 'move')}", value),
        ("no plan of as many moves is below", bound),
        ("no plan of any number of moves is below", percent_at_least(free)),
    ]
    if before is not None:
        table.insert(0, (f"now: {old_name}", percent(found.imbalance_of(before) - 1)))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    yield measure_words(loads, found.objective, found.plan.deployment)
    yield from (f"  {name:<{widths[0]}}  {number:>{widths[1]}}" for name, number in table)
    yield (
        f"{moves:,} of {plural(slots, 'replica')} move ({percent(moves / slots)}); no plan as cool has fewer than "
        f"{found.moves_bound:,}, which is proven."
        if found.moves_bound < moves
        else f"{moves:,} of {plural(slots, 'replica')} move ({percent(moves / slots)}), the fewest for a plan as cool, "
        "which is proven."
    )
    lost = len(lost_experts_of(found))
    if lost:
        yield (
            f"What was lost comes back with {plural(lost, 'move')} of these, which come first: no GPU holds these "
            "experts, so that their weights are loaded."
        )
    left = f"at most {gap_percent(found.gap)} of the hottest GPU's load is left to gain"
    yield (f"With as many moves {left if found.gap else 'nothing is left to gain'}, which is proven{_word([found])}.")
    if told.target is not None:
        yield _target_words(found, told.target)
    yield from copying_words(told.summary, told.bandwidth)


def _word(found: Sequence[Replan]) -> str:
    return word_of_solvers([layer.proof for one in found for layer in one.layers])


def _target_words(found: Replan, target: float) -> str:
    """Which layers are where they were to be, with as few moves as search has found."""
    left = [layer for layer in found.loaded_layers if layer.objective * (1 - Fraction(target)) > layer.free_bound]
    asked = f"within {gap_percent(target)} of the bound on plans of any number of moves"
    if not left:
        return f"Every layer is {asked}, as was asked for."
    ids, are = describe_ids(tuple(layer.layer_id for layer in left)), "is" if len(left) == 1 else "are"
    return (
        f"{len(left)} of {plural(len(found.layers), 'layer')} {are} not {asked}: {ids}. A longer search may bring them "
        "there, if any plan is."
    )
