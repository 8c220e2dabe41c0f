"""Transfers: all senders and batches of tiny cases, and the laws that every schedule obeys."""

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import eplb_opt
from eplb_opt.deployment import Deployment
from eplb_opt.document import transfers_list
from eplb_opt.errors import FileFormatError, InvalidArgumentError
from eplb_opt.io.record import Record
from eplb_opt.io.transfers import parse_transfers
from eplb_opt.moves import moves_between
from eplb_opt.plan import Plan
from eplb_opt.transfers import transfers_between
from tests.examples import examples

OLD = Plan(np.array([[0, 1, 2, 3], [0, 1, 2, 3]]), Deployment(2, 4), 4, layer_ids=(3, 5))
NEW = Plan(np.array([[3, 1, 2, 0], [2, 3, 0, 1]]), Deployment(2, 4), 4, layer_ids=(3, 5))


@st.composite
def plans(draw, most_gpus, most_slots, layers=3):
    """Two plans of one size on one or two nodes; slots of the old one may be empty, experts may be nowhere."""
    gpus, size = draw(st.integers(1, most_gpus)), draw(st.integers(1, most_slots))
    nodes = draw(st.sampled_from([n for n in (1, 2) if gpus % n == 0]))
    experts = draw(st.integers(1, gpus * size))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    deployment = Deployment(gpus, gpus * size, nodes, policy="global", distinct=False)
    shape = (draw(st.integers(1, layers)), gpus * size)
    return [Plan(random.integers(least, experts, shape), deployment, experts) for least in (-1, 0)]


def fewest_batches(pairs):
    """Of (sender, receiver), by trying all ways to hand them out to batches."""

    def fits(left, batches):
        if not left:
            return True
        sender, receiver = left[0]
        for number, batch in enumerate(batches):
            if all(sender != other and receiver != to for other, to in batch):
                added = [*batches[:number], [*batch, left[0]], *batches[number + 1 :]]
                if fits(left[1:], added):
                    return True
            # Empty batches are alike.
            if not batch:
                break
        return False

    return next(number for number in range(len(pairs) + 1) if fits(pairs, [[]] * number))


@examples(30)
@given(plans(most_gpus=4, most_slots=2, layers=1))
def test_no_senders_and_no_batches_are_fewer_and_with_as_few_none_are_nearer(drawn):
    old, new = drawn
    deployment = old.deployment
    held = [set(gpu) for gpu in old.physical_to_logical.reshape(deployment.num_gpus, -1).tolist()]
    moves = [(receiver, expert) for _, receiver, expert in moves_between(old, new).tolist()]
    holders = [[gpu for gpu, there in enumerate(held) if expert in there] for _, expert in moves]
    wanted = [(receiver, gpus) for (receiver, _), gpus in zip(moves, holders, strict=True) if gpus]
    size = deployment.ranks_per_node
    found = []
    for senders in product(*(gpus for _, gpus in wanted)):
        pairs = [(sender, receiver) for sender, (receiver, _) in zip(senders, wanted, strict=True)]
        found.append((fewest_batches(pairs), sum(sender // size != receiver // size for sender, receiver in pairs)))
    transfers = transfers_between(old, new)
    away = np.count_nonzero(transfers.sender // size != transfers.receiver // size)
    assert (transfers.num_batches, away) == min(found)
    assert transfers.loaded[:, 1:].tolist() == [list(m) for m, gpus in zip(moves, holders, strict=True) if not gpus]


@given(plans(most_gpus=8, most_slots=6))
def test_every_batch_is_a_matching_and_there_are_as_many_as_the_busiest_gpu_asks_for(drawn):
    transfers = transfers_between(*drawn)
    rows = transfers.to_frame()
    assert not rows.duplicated(["layer_id", "batch", "sender"]).any()
    assert not rows.duplicated(["layer_id", "batch", "receiver"]).any()
    assert (rows["sender"] != rows["receiver"]).all()
    for row, batches in enumerate(transfers.batches):
        of_layer = rows[rows["layer_id"] == row]
        busiest = [of_layer[side].value_counts().max() for side in ("sender", "receiver")] if len(of_layer) else [0]
        assert batches == max(busiest) == of_layer["batch"].nunique()


@given(plans(most_gpus=8, most_slots=6))
def test_batch_by_batch_gpus_come_to_hold_what_the_new_plan_has(drawn):
    old, new = drawn
    gpus, layers = range(old.deployment.num_gpus), range(old.num_layers)
    before, after = (plan.physical_to_logical.reshape(plan.num_layers, len(gpus), -1).tolist() for plan in drawn)
    held = {(layer, gpu): set(before[layer][gpu]) for layer in layers for gpu in gpus}
    transfers = transfers_between(old, new)
    for layer, _, sender, receiver, expert in transfers.to_frame().itertuples(index=False):
        assert expert in before[layer][sender] and expert not in held[layer, receiver]
        held[layer, receiver].add(expert)
    for layer, gpu, expert in transfers.loaded.tolist():
        assert not any(expert in there for there in before[layer])
        held[layer, gpu].add(expert)
    for (layer, gpu), there in held.items():
        assert there == set(before[layer][gpu]) | set(after[layer][gpu])


def test_layers_go_by_gain_per_move():
    old = Plan(np.tile(np.arange(4), (5, 1)), Deployment(2, 4), 4)
    # Moves: 2, 4, 0, 2, 2.
    rows = np.array([[3, 1, 2, 0], [2, 3, 0, 1], [1, 0, 2, 3], [0, 2, 1, 3], [0, 3, 1, 2]])
    new = Plan(rows, Deployment(2, 4), 4)

    def order(gains=None):
        return list(dict.fromkeys(transfers_between(old, new, gains).layer.tolist()))

    assert order() == [0, 1, 3, 4]
    assert order(np.array([0.1, 0.3, 9, np.nan, -1])) == [1, 0, 4, 3]
    assert order(np.array([0.2, 0.3, 9, 0.1, 0.1])) == [0, 1, 3, 4]


def test_gpus_that_exchange_experts_do_so_in_one_batch():
    rows = transfers_between(OLD, NEW).to_frame()
    assert rows.iloc[:2].to_dict("split", index=False) == {
        "columns": ["layer_id", "batch", "sender", "receiver", "expert"],
        "data": [[3, 0, 0, 1, 0], [3, 0, 1, 0, 3]],
    }
    assert transfers_between(OLD, NEW).batches.tolist() == [1, 2]
    assert transfers_between(OLD, OLD).to_frame().shape == (0, 5)


def test_a_sender_with_room_spares_a_batch():
    # GPUs 0 and 1 hold expert 0, which GPUs 2 and 3 ask for; GPU 0 alone holds expert 1, which GPU 1 asks for.
    rows = [0, 1, 0, 2, 3, 4, 5, 6], [0, 1, 0, 2, 0, 4, 0, 6], [0, 1, 0, 1, 0, 4, 3, 6]
    old, both, one = (Plan(np.array([row]), Deployment(4, 8), 7) for row in rows)
    assert transfers_between(old, both).num_batches == 1
    assert sorted(transfers_between(old, both).sender.tolist()) == [0, 1]
    assert transfers_between(old, one).to_frame()[["sender", "receiver"]].values.tolist() == [[0, 1], [1, 2], [2, 3]]


@given(plans(most_gpus=6, most_slots=4))
def test_transfers_come_back_from_their_list(drawn):
    old, new = drawn
    transfers = transfers_between(old, new, np.arange(new.num_layers, dtype=float))
    text = json.dumps({"transfers": transfers_list(transfers)})
    found = parse_transfers(Record("plan.json", json.loads(text)), new)
    pd.testing.assert_frame_equal(found.to_frame(), transfers.to_frame())
    assert sorted(found.loaded.tolist()) == sorted(transfers.loaded.tolist())


def test_a_plan_file_has_its_transfers_and_reads_as_without_them(tmp_path):
    path = tmp_path / "plan.json"
    eplb_opt.write_plan(NEW, path, "native", transfers=transfers_between(OLD, NEW))
    assert json.loads(path.read_text())["transfers"][0] == {
        "layer_id": 3,
        "batches": [[[0, 1, 0], [1, 0, 3]]],
        "loaded": [],
    }
    assert eplb_opt.read_plan(path) == NEW
    assert eplb_opt.read_plan(path, layer_ids=(5,)) == NEW.select((5,))


def test_only_native_files_have_a_place_for_them(tmp_path):
    with pytest.raises(InvalidArgumentError, match="no place for transfers"):
        eplb_opt.write_plan(NEW, tmp_path / "x.json", "sglang", transfers=transfers_between(OLD, NEW))
    with pytest.raises(FileFormatError, match="the plan has no expert"):
        eplb_opt.write_plan(OLD, tmp_path / "x.json", "native", transfers=transfers_between(OLD, NEW))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        ({"layer_id": 4}, "'transfers' 0 is layer 4"),
        ({"batches": [[[0, 1, 0], [0, 1, 2]]]}, "batch 0: GPU 0 sends more than once"),
        ({"batches": [[[0, 1, 0]], [[0, 1, 0], [1, 1, 0]]]}, "batch 1: GPU 1 receives more than once"),
        ({"batches": [[[1, 1, 0]]]}, "GPU 1 cannot send"),
        ({"batches": [[[2, 1, 0]]]}, "GPU 2 cannot send"),
        ({"batches": [[[0, 1, 3]]]}, "the plan has no expert 3 on GPU 1"),
        ({"batches": [[[0, 2, 3]]]}, "the plan has no expert 3 on GPU 2"),
        ({"batches": [[[0, 1]]]}, r"not a list of \[sender, receiver, expert\]"),
        ({"batches": [[[0, True, 0]]]}, "batch 0: True is none of sender, receiver, expert"),
        ({"batches": [[], [[0, 10**30, 0]]]}, "batch 1: 1000.* is none of sender"),
        ({"batches": [[[-1, 1, 0]]]}, "batch 0: -1 is none of sender"),
        ({"batches": [7]}, r"batch 0 is 7, not a list of \[sender, receiver, expert\]"),
        ({"loaded": [[0, 0]]}, "'loaded': the plan has no expert 0 on GPU 0"),
        ({"loaded": 5}, "'loaded' is 5"),
    ],
)
def test_transfers_that_do_not_lead_to_the_plan_are_one_sentence(tmp_path, layer, sentence):
    path = tmp_path / "plan.json"
    eplb_opt.write_plan(NEW, path, "native")
    first = {"layer_id": 3, "batches": [], "loaded": []} | layer
    path.write_text(json.dumps(json.loads(path.read_text()) | {"transfers": [first]}))
    with pytest.raises(FileFormatError, match=sentence):
        eplb_opt.read_plan(path)


def test_a_layer_comes_once(tmp_path):
    twice = [{"layer_id": 3, "batches": [], "loaded": []}] * 2
    with pytest.raises(FileFormatError, match="'transfers' 1 is layer 3: layers 3, 5 have one each"):
        parse_transfers(Record("plan.json", {"transfers": twice}), NEW)
