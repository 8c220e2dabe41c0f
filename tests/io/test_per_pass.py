import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.errors import EplbOptError, FileFormatError, InvalidLoadsError, InvalidPlanError
from eplb_opt.io import read_loads
from eplb_opt.loads import Loads
from tests.examples import examples
from tests.io.recordings import passes_of, rank_file, write_passes

# Layer 0 is dense, layer 1 holds expert 1 in slots 0 and 2.
MAP = [[0, 1, 0], [1, 0, 1]]


def table(*slots):
    return [[0, 0, 0], list(slots)]


def test_ranks_are_summed_and_slots_folded_in_the_order_of_passes(tmp_path):
    ranks = [{18: table(1, 2, 3), 17: table(0, 1, 0)}, {17: table(4, 0, 0), 18: table(0, 0, 5)}]
    folder = write_passes(tmp_path / "dump", ranks, MAP)
    # Pass 17: slots 4, 1, 0; pass 18: slots 1, 2, 8. Expert 1 has the outer slots.
    steps = [[[1, 4]], [[2, 1 + 8]]]
    assert read_loads(folder, windows=2) == Loads(steps, (1,))
    assert read_loads(folder) == Loads([[3, 13]], (1,))


def test_a_folder_with_one_rank_is_whole(tmp_path):
    assert read_loads(write_passes(tmp_path / "dump", [{0: table(1, 2, 3)}], MAP)) == Loads([[2, 4]], (1,))


@given(
    st.lists(st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=2, max_size=2), min_size=1).filter(
        lambda ranks: np.any(ranks)
    )
)
@examples(15)
def test_the_sum_is_that_of_all_slots_of_an_expert(tmp_path_factory, ranks):
    folder = write_passes(tmp_path_factory.mktemp("dump"), [{5: rank} for rank in ranks], MAP)
    total = np.sum(ranks, axis=0)
    experts = [
        [sum(row[slot] for slot in range(3) if MAP[i][slot] == e) for e in (0, 1)] for i, row in enumerate(total)
    ]
    kept = [layer for layer, row in enumerate(experts) if any(row)]
    assert read_loads(folder) == Loads([experts[layer] for layer in kept], kept, num_model_layers=2)


def test_other_files_are_left_out(tmp_path):
    folder = write_passes(tmp_path / "dump", [{0: table(1, 2, 3)}], MAP)
    for name in ("expert_distribution_recorder_1745900000.25.pt", "model.pt", rank_file(1) + ".part"):
        (folder / name).write_bytes(b"something else")
    assert read_loads(folder) == Loads([[2, 4]], (1,))


def test_several_dumps_of_a_rank_are_one_recording(tmp_path):
    folder = write_passes(tmp_path / "dump", [{0: table(1, 2, 3)}], MAP)
    moved = passes_of(0, {1: table(10, 20, 30)}, [[0, 1, 0], [0, 0, 1]])
    torch.save(moved, folder / rank_file(0, 1745900099.5))
    # The passes of each dump are folded by the map of that dump.
    assert read_loads(folder, windows=2) == Loads([[[2, 4]], [[30, 30]]], (1,))


def test_the_file_of_one_rank_is_refused(tmp_path):
    folder = write_passes(tmp_path / "dump", [{0: table(1, 2, 3)}], MAP)
    with pytest.raises(FileFormatError, match="holds what one rank recorded; give the folder with the files of all"):
        read_loads(folder / rank_file(0))


def test_a_rank_without_a_file_or_a_pass_is_named(tmp_path):
    ranks = [{0: table(1, 1, 1), 1: table(1, 1, 1)}, {0: table(1, 1, 1)}, {0: table(1, 1, 1), 1: table(1, 1, 1)}]
    folder = write_passes(tmp_path / "dump", ranks, MAP)
    with pytest.raises(FileFormatError, match=r"dump has no recording of forward pass 1 by rank 1$"):
        read_loads(folder)
    (folder / rank_file(1, 1745900000.375)).unlink()
    with pytest.raises(FileFormatError, match="dump has no recording of rank 1; the files of all ranks are needed"):
        read_loads(folder)


def test_passes_of_a_draft_model_have_numbers_of_their_own_and_no_tokens(tmp_path):
    # Each rank: passes 1 and 2 of the model, 1 to 3 of the draft model; experts are moved between the dumps, and pass 3
    # of the model comes in the second one.
    folder, moved = tmp_path / "dump", [[0, 1, 0], [0, 0, 1]]
    folder.mkdir()
    for rank in (0, 1):
        draft = passes_of(rank, dict.fromkeys((1, 2, 3), table(0, 0, 0)), MAP)["records"]
        first = passes_of(rank, {1: table(1, 2, 3), 2: table(rank, 0, 0)}, MAP)
        first["records"] = [first["records"][0], *draft, first["records"][1]]
        torch.save(first, folder / rank_file(rank))
        torch.save(passes_of(rank, {3: table(10, 20, 30)}, moved), folder / rank_file(rank, 1745900099.5))
    # Expert 0 has slot 1 and then 0 and 1; a pass is a step whether or not each rank has tokens in it.
    assert read_loads(folder, window_length=1) == Loads([[[4, 8]], [[0, 1]], [[60, 60]]], (1,))


def test_a_pass_that_a_rank_recorded_twice_is_named(tmp_path):
    folder = write_passes(tmp_path / "dump", [{7: table(1, 1, 1)}], MAP)
    torch.save(passes_of(0, {7: table(1, 1, 1)}, MAP), folder / rank_file(0, 1745900099.5))
    with pytest.raises(FileFormatError, match=r"dump/expert.*: rank 0 recorded forward pass 7 twice"):
        read_loads(folder)


def test_ranks_that_disagree_in_the_map_are_named(tmp_path):
    folder = write_passes(tmp_path / "dump", [{7: table(1, 1, 1)}], MAP)
    torch.save(passes_of(1, {7: table(1, 1, 1)}, [[0, 1, 0], [0, 1, 0]]), folder / rank_file(1))
    with pytest.raises(FileFormatError, match=r"_1\.pt and \S*_0\.pt have different maps of slots for forward pass 7"):
        read_loads(folder)


def spoiled(**fields):
    dump = passes_of(0, {7: table(1, 1, 1)}, MAP)
    dump["records"][0] |= fields
    return dump


PER_TOKEN = spoiled(topk_ids_of_layer=torch.zeros(2, 1, 1))
del PER_TOKEN["records"][0]["global_physical_count"]

BAD = {
    "per token": (PER_TOKEN, FileFormatError, "is recorded per token; record in the mode per_pass or stat"),
    "stat": ({"rank": 0, "logical_count": torch.ones(2, 2)}, FileFormatError, "has the keys 'records', 'last_"),
    "no records": (passes_of(0, {}, MAP), InvalidLoadsError, "holds no recorded forward pass"),
    "other records": ({**spoiled(), "records": {}}, FileFormatError, "'records' is {}, not list"),
    "no record": ({**spoiled(), "records": [1]}, FileFormatError, "'records' 0 is 1, not an object"),
    "float pass": (spoiled(forward_pass_id=1.5), FileFormatError, "'forward_pass_id' is 1.5, not int"),
    "negative rank": (spoiled(rank=-1), FileFormatError, "no recording of rank 0"),
    "huge rank": (spoiled(rank=2**62), FileFormatError, "no recording of rank 0"),
    "no counts": (spoiled(global_physical_count=None), InvalidLoadsError, "'global_physical_count': .*not numbers"),
    "other slots": (spoiled(global_physical_count=torch.ones(2, 4)), InvalidLoadsError, r"shape \(2, 4\), the map"),
    "steps": (spoiled(global_physical_count=torch.ones(2, 2, 3)), InvalidLoadsError, "no table of layers and slots"),
    "floats": (spoiled(global_physical_count=torch.ones(2, 3)), InvalidLoadsError, "float64 numbers, not counts"),
    "negative": (spoiled(global_physical_count=-torch.ones(2, 3)), InvalidLoadsError, "load -1.0 at"),
    "expanded": (
        spoiled(global_physical_count=torch.ones(1, 1).expand(2, 10**12)),
        InvalidLoadsError,
        "repeats 4 stored bytes",
    ),
    "no map": (passes_of(0, {7: table(1, 1, 1)}, [[0, 1, 0], [1, 1, 1]]), InvalidPlanError, "no slot for expert 0"),
    "float map": (passes_of(0, {7: table(1, 1, 1)}, [[0.0] * 3] * 2), InvalidPlanError, "is not a row of expert ids"),
    "zeros": (passes_of(0, {7: table(0, 0, 0)}, MAP), InvalidLoadsError, "no token was recorded"),
}


@pytest.mark.parametrize(("dump", "error", "says"), BAD.values(), ids=BAD)
def test_files_that_hold_no_passes_are_refused_by_name(tmp_path, dump, error, says):
    torch.save(dump, tmp_path / rank_file(0))
    with pytest.raises(EplbOptError, match=says) as info:
        read_loads(tmp_path)
    assert isinstance(info.value, error)
    assert str(info.value).startswith(str(tmp_path))
    assert "\n" not in str(info.value)
