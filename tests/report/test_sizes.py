"""Deployments side by side: which one is planned next, and its words."""

import pandas as pd

from eplb_opt.report.sizes import chosen, size_words

NAN = float("nan")


def sizes(*rows, **more):
    names = ("policy", "slots_per_gpu", "imbalance", "knee")
    frame = pd.DataFrame([dict(zip(names, row, strict=True)) for row in rows])
    known = {"gpus": 4, "balancedness": 1 / frame["imbalance"], "bound": 1.0, "gap": 0.0, "gib": NAN}
    return frame.assign(**known, to_gain=1 - 1 / frame["imbalance"], **more)


def picked(frame):
    return [(row["policy"], row["slots_per_gpu"]) for row in chosen(frame)]


def test_the_knee_of_a_hot_policy_is_not_chosen_over_a_cooler_policy_without_one():
    rows = [("hierarchical", 2, 1.2, False), ("hierarchical", 3, 1.13, True), ("global", 2, 1.1, False)]
    assert picked(sizes(*rows, ("global", 3, 1.02, False))) == [("global", 3)]
    assert picked(sizes(*rows, ("global", 3, 1.005, True), ("global", 4, 1.001, False))) == [("global", 3)]


def test_the_fewest_slots_of_the_fastest_are_chosen_where_times_are_known():
    rows = [("global", 2, 1.1, False), ("global", 3, 1.001, True), ("global", 4, 1.0, False)]
    # The second is within half a per cent of the last.
    frame = sizes(*rows, milliseconds=[9.0, 5.01, 5.0], least_milliseconds=4.0)
    assert picked(frame) == [("global", 3)]
    assert picked(frame.assign(milliseconds=[5.0, 6.0, 7.0])) == [("global", 2)]
    assert picked(frame.assign(milliseconds=[5.0, NAN, 7.0])) == [("global", 3)]


def test_one_slot_is_singular_and_what_is_left_to_gain_has_a_unit():
    (said,) = size_words(sizes(("global", 1, 1.0, True)))
    assert said.startswith(
        "4 GPUs, global: 1 slot per GPU is enough for balance. More gain at most 0 % of the hottest GPU's load,"
    )
    assert "1 slot per GPU leaves at most" in size_words(sizes(("global", 1, 1.5, False)))[0]


def test_what_a_longer_search_may_find_is_not_put_down_to_the_slots():
    short = sizes(("global", 4, 1.5, False)).assign(gap=1 / 3)
    assert size_words(short)[0].endswith("search longer, or try larger sizes.")
    assert size_words(short.assign(gap=0.0))[0].endswith("to gain: try larger sizes.")
