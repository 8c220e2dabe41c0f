"""eplb-opt compare: a table, rows and a figure, or one sentence."""

import csv
import json

import pytest

from eplb_opt.heuristics import names


@pytest.fixture
def recording(run):
    code, _, _ = run("generate", "-o", "loads.npz", "--layers", 3, "--experts", 32, "--windows", 3)
    assert code == 0
    return "loads.npz"


DEPLOYMENT = ("--gpus", 8, "--slots", 40, "--time-limit", 0.3)


def test_rows_are_sorted_by_their_gap_and_written_with_a_figure(run, recording, tmp_path):
    code, out, _ = run("compare", recording, *DEPLOYMENT, "--csv", "rows.csv", "--figure", "gaps.png")
    assert code == 0
    table = [line.split() for line in out.splitlines()]
    assert table[0][:4] == ["method", "objective", "gap", "mean_gap"]
    methods = [row[0] for row in table[1 : len(names()) + 2]]
    assert set(methods) == {"solve", *names()}
    gaps = [float(row[2]) for row in table[1 : len(names()) + 2]]
    assert gaps == sorted(gaps)
    with (tmp_path / "rows.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3 * (len(names()) + 1)
    assert (tmp_path / "gaps.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        ("auto", "the mean imbalance over 3 windows"),
        ("worst", "the worst imbalance over 3 windows"),
        ("total", "tokens of all windows summed"),
    ],
)
def test_the_objective_over_several_windows_is_said(run, recording, objective, words):
    code, out, _ = run("compare", recording, *DEPLOYMENT, "--windows", 3, "--methods", "lpt", "--objective", objective)
    assert code == 0 and f"\nobjective: {words}; imbalance and what is behind it: means over windows\n" in out
    assert "objective:" not in run("compare", recording, *DEPLOYMENT, "--methods", "lpt")[1]


def test_the_published_protocol_plans_on_a_window_and_scores_on_the_next(run, recording):
    options = ("--windows", 3, "--protocol", "published", "--methods", "lpt, snake", "--json")
    code, out, _ = run("compare", recording, *DEPLOYMENT, *options)
    assert code == 0
    rows = json.loads(out)
    assert {row["method"] for row in rows} == {"lpt", "snake"}
    assert all(0 < row["slot_balancedness"] <= 1 and 0 < row["score_2ms"] <= 1 for row in rows)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--methods", "lpt,best"), "method='best' is not one of lpt"),
        (("--protocol", "none"), "--protocol='none' is not one of bound, published"),
        (("--protocol", "published"), "give two or more"),
        (("--protocol", "published", "--figure", "a.png"), "are for --protocol bound"),
        (("--figure", "a.txt"), "--figure a.txt does not end in .png or .svg or .pdf, as a figure does"),
    ],
)
def test_mistakes_are_one_sentence(run, options, sentence):
    run("generate", "-o", "one.npz", "--layers", 1, "--experts", 32)
    code, out, err = run("compare", "one.npz", *DEPLOYMENT, *options)
    assert (code, out) == (2, "")
    assert sentence in err
    assert len(err.strip().splitlines()) == 1


def test_the_help_says_what_each_heuristic_does(run):
    code, out, _ = run("compare", "--help")
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert all(any(line[:1] == [name] and len(line) > 1 for line in lines) for name in names())
