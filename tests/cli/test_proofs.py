"""Who proved what, as the command line says it."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import eplb_opt
from eplb_opt.cli.layer_rows import show_layers
from eplb_opt.deployment import Deployment
from eplb_opt.proof import Proof

LOADS = np.array([[20, 21, 69, 61], [4, 3, 2, 1]])


@pytest.fixture
def claimed():
    """Two layers, the first with a bound on the word of CP-SAT."""
    solution = eplb_opt.solve(LOADS, Deployment(3, 6), method="greedy")
    first, second = solution.layers
    proof = Proof("pairing", Fraction(64), checked=False, by="cpsat")
    return replace(solution, layers=(replace(first, proof=proof), second))


def test_verify_names_those_on_whose_word_bounds_rest(run, claimed, tmp_path):
    claimed.save(tmp_path / "solution.json")
    np.save(tmp_path / "loads.npy", LOADS)
    code, out, _ = run("verify", tmp_path / "solution.json", tmp_path / "loads.npy")
    assert code == 0
    assert "1 of 2 bounds are checked by their certificates, the others rest on: pairing by cpsat (1)" in out


def test_the_table_of_layers_and_the_data_frame_say_the_same(claimed, capsys):
    show_layers(claimed, "all", 0.0)
    assert "pairing by cpsat" in capsys.readouterr().out
    frame = claimed.to_frame()
    assert frame[["proof", "by", "checked"]].iloc[0].tolist() == ["pairing", "cpsat", False]
    assert frame["by"].iloc[1] == "" and frame["checked"].iloc[1]
