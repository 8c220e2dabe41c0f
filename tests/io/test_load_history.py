import json
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.errors import EplbOptError, FileFormatError, InvalidLoadsError, MissingPackageError
from eplb_opt.io import read_loads
from eplb_opt.io.content import parse_content
from eplb_opt.io.load_history import parse_history
from eplb_opt.io.recording import stack
from eplb_opt.loads import Loads
from tests.io.recordings import history

STEPS = [[[1, 2], [3, 4]], [[5, 6], [7, 8]], [[9, 10], [11, 12]]]


def read(data, **options):
    return stack([parse_history(parse_content(data, "x.json"))], **options)


def test_every_entry_is_a_step_of_moe_layers_counted_from_0():
    assert read(history(*STEPS), windows=3) == Loads(STEPS, numbering="moe")
    assert read(history(*STEPS)) == Loads([[15, 18], [21, 24]], numbering="moe")


def test_windows_may_have_a_length():
    assert read(history(*STEPS), window_length=2).values.tolist() == [[[6, 8], [10, 12]]]


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + history(*STEPS),
        json.dumps(json.loads(history(*STEPS)), indent=1).encode(),
        history(*STEPS).replace(b"{", b" \n{ "),
        b'{"seed": 1, ' + history(*STEPS)[1:],
        history(*STEPS)[:-1] + b', "seed": {"a": [1]}}',
        history(*STEPS).replace(b'"logical', b'"step": 3, "logical'),
    ],
)
def test_other_keys_blanks_and_a_byte_order_mark_change_nothing(data):
    assert read(data, windows=3) == Loads(STEPS, numbering="moe")


@given(
    st.lists(st.lists(st.integers(0, 2**40) | st.floats(1e-200, 1e9), min_size=2, max_size=2), min_size=1).filter(
        np.any
    )
)
def test_a_stream_and_a_document_give_the_same(rows):
    data = history(*([row] for row in rows))
    document = b'{"seed": 1, ' + data[1:]
    assert parse_content(data, "x").kind == "json stream"
    assert parse_content(document, "x").kind == "json"
    assert read(data) == read(document)
    assert (
        read(data, windows=len(rows))
        == read(document, windows=len(rows))
        == Loads([[row] for row in rows], numbering="moe")
    )


def test_the_document_is_never_in_memory_as_a_whole(tmp_path):
    step = json.dumps({"logical_expert_load": [[7] * 256] * 20})
    with (tmp_path / "a.json").open("w") as file:
        file.write('{"load_history": [' + step + ("," + step) * 999 + "]}")
    size = (tmp_path / "a.json").stat().st_size
    tracemalloc.start()
    try:
        loads = read_loads(tmp_path / "a.json", window_length=100)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert loads == Loads(np.full((10, 20, 256), 700), numbering="moe")
    assert size > 15e6
    # A buffer and its depths, and a window of 20 x 256 integers a few times.
    assert peak < 6e6


BAD = {
    "cut": (history(*STEPS)[:-30], "is not valid JSON behind step 2"),
    "cut in the list": (history(*STEPS)[:-1], "is not valid JSON behind step 3"),
    "behind": (history(*STEPS) + b"}", "is not valid JSON behind step 3"),
    "nan": (history(*STEPS).replace(b"6", b"NaN"), "is not valid JSON behind step 1"),
    "not UTF-8": (history(*STEPS)[:-1] + b', "\xff": 1}', "is not valid JSON behind step 3"),
    "no list": (b'{"load_history": {"item": 1}}', "'load_history' is not a list"),
    "empty": (history(), "holds no recorded step"),
    "number": (b'{"load_history": [1]}', r"'load_history' 0 is 1, not an object"),
    "no key": (b'{"load_history": [{}, {}]}', r"'load_history' 0 has no key 'logical_expert_load'"),
    "text": (history("many"), "'logical_expert_load' is 'many', not list"),
    "ragged": (history(STEPS[0], [[1, 2], [3]]), "'load_history' 1: loads are ragged"),
    "negative": (history(STEPS[0], [[1, -2], [3, 4]]), "'load_history' 1: load -2 at window 0, layer row 0, expert 1"),
    "huge": (history([[2**64, 1]]), r"is 2\*\*53 tokens or more|not valid JSON"),
    "steps": (history(STEPS), "'load_history' 0 is no table of layers and experts"),
    "other layers": (history(STEPS[0], [[1, 2]]), "'load_history' 0 has 2 layers, x.json, 'load_history' 1 has 1"),
    "zeros": (history([[0, 0]]), "no token was recorded"),
    "doubled list": (history(*STEPS)[:-1] + b', "load_history": []}', "names 'load_history' 2 times"),
    "doubled table": (
        history(*STEPS).replace(b'{"logical', b'{"logical_expert_load": [[0, 0]], "logical'),
        "'logical_expert_load' 6 times, and has 3 steps",
    ),
    "dotted key": (
        history(*STEPS)[:-1] + b', "load_history.item": {"logical_expert_load": [[1, 1], [1, 1]]}}',
        "names 'load_history' 2 times",
    ),
    "deep": (b'{"load_history": [' + b"[" * 100_000, "nested too deeply"),
    "deep in a list": (b'{"load_history": [' + b"[1," * 100_000, "nested too deeply"),
}


@pytest.mark.parametrize(("data", "says"), BAD.values(), ids=BAD)
def test_what_is_no_load_history_is_refused_by_step(data, says):
    with pytest.raises(EplbOptError, match=says) as info:
        read(data)
    assert isinstance(info.value, FileFormatError | InvalidLoadsError)
    assert str(info.value).startswith("x.json")
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("before", range(0, 24, 3))
def test_keys_are_counted_across_the_ends_of_buffers(before):
    begin = b'{"load_history": [{"pad": "'
    middle = b'", '
    # The key begins so many bytes before the end of a buffer of 2**18.
    pad = b"x" * (2**18 - before - len(begin) - len(middle))
    data = begin + pad + middle + b'"logical_expert_load": [[1]]}]}'
    assert data.index(b'"logical') == 2**18 - before
    assert read(data).values.tolist() == [[[1]]]


def test_without_ijson_the_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ijson", None)
    with pytest.raises(MissingPackageError, match=r"reading x\.json needs ijson: pip install ijson"):
        read(history(*STEPS))


def test_another_document_is_refused():
    with pytest.raises(FileFormatError, match=r"x\.json is json with keys 'a'; a load history has the key"):
        parse_history(parse_content(b'{"a": 1}', "x.json"))
