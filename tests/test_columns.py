"""Names over a table are believed, columns put in their order, or refused; never read by position."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eplb_opt.columns import LongColumns, WideColumns, columns_of
from eplb_opt.errors import EplbOptError, InvalidLoadsError
from eplb_opt.io.content import Content
from eplb_opt.io.csv_files import parse_table
from eplb_opt.loads import Loads

LAYER_NAMES = ["layer", "layer_id", "layer_idx", "Layer ID", "LAYER_INDEX", "LayerId", "layer_no", "Layer.Number"]
PREFIXES = ["", "e", "E_", "exp_", "expert ", "Expert-", "X", "x.", "logicalExpert", "mlp.experts.", "expert_load_"]


@pytest.mark.parametrize("layer", LAYER_NAMES)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_layer_column_and_experts_of_one_prefix_are_believed(layer, prefix):
    names = [layer, *(f"{prefix}{e}" for e in range(12))]
    assert columns_of(names, InvalidLoadsError) == WideColumns(tuple(range(1, 13)), layer=0)
    assert columns_of(names[::-1], InvalidLoadsError) == WideColumns(tuple(range(11, -1, -1)), layer=12)
    assert columns_of(["", *names[1:]], InvalidLoadsError) == WideColumns(tuple(range(1, 13)), index=0)
    assert columns_of(["Unnamed: 0", *names], InvalidLoadsError) == WideColumns(tuple(range(2, 14)), layer=1, index=0)


def test_a_row_per_count_has_its_columns_in_any_order():
    assert columns_of(["layer_id", "expert_id", "count"], InvalidLoadsError) == LongColumns(0, 1, 2)
    names = ["rank", "tokens", "Expert ID", "iteration", "layer"]
    assert columns_of(names, InvalidLoadsError) == LongColumns(layer=4, expert=2, count=1, step=3, rank=0)


@pytest.mark.parametrize("name", ["Expert {} load", "expert[{}]", "e{}_tokens"])
def test_names_may_go_on_behind_the_number(name):
    names = [name.format(number) for number in (2, 0, 1)]
    assert columns_of(names, InvalidLoadsError) == WideColumns((1, 2, 0))


@pytest.mark.parametrize("count", ["Count", "load", "num_tokens", "tokenCount", "hits", "freq", "n"])
def test_counts_have_several_names(count):
    assert columns_of(["decoder_layer", "expert_no", count], InvalidLoadsError) == LongColumns(0, 1, 2)


REFUSED = {
    "layer,0,2": "2 columns are experts, up to 3 ('2'), and none is expert 1",
    "layer,1,2,3": "columns count experts from 1 to 3, and experts are counted from 0",
    "layer,e0,e1,e1": "columns 3 ('e1') and 4 ('e1') are both expert 1",
    "layer,e0,e1,e01": "columns 3 ('e1') and 4 ('e01') are both expert 1",
    "layer,e0,x1": "is not named like the expert",
    "layer,e0,e1,total": "column 4 ('total') is neither the layer nor an expert",
    "layer,e0,e1,sum": "column 4 ('sum') is neither",
    "layer,e0,e1,tokens": "column 4 ('tokens') is neither",
    "index,e0,e1": "column 1 ('index') is neither",
    "step,layer,e0,e1": "column 1 ('step') is neither",
    "e0,,e1": "column 2 (without a name) is neither",
    "layer,layer_id,e0": "columns 1 ('layer') and 2 ('layer_id') both say the layer",
    "layer": "no column is an expert",
    "layer,0.0,1.0": "column 2 ('0.0') is neither",
    "layer,expert_0_std,expert_1_std": "column 2 ('expert_0_std') is not called an expert",
    "layer,expert_0,expert_1 load": "column 3 ('expert_1 load') is not named like the expert",
    "layer,expert 0 %,expert 1 %": "column 2 ('expert 0 %') is neither",
    "layer,0 load,1 load": "column 2 ('0 load') is not called an expert",
    "layer,-0,-1": "column 2 ('-0') is not called an expert",
    "layer,0": "column 2 ('0') alone may be no expert",
    ",0": "column 2 ('0') alone may be no expert",
    "layer,3.0": "column 2 ('3.0') is neither",
    "# run 0": "column 1 ('# run 0') is not called an expert",
    "L0,L1,L2": "column 1 ('L0') is not called an expert",
    "layer,shared_expert_0,shared_expert_1": "column 2 ('shared_expert_0') is not called an expert",
    "layer,count_0,count_1": "column 2 ('count_0') is not called an expert",
    "moe_layer,expert,count": "and no column says the layer",
    "layer,expert,value": "and no column says the count",
    ",layer_0,layer_1": "column 2 ('layer_0') is not called an expert",
    "layer,rank0,rank1": "column 2 ('rank0') is not called an expert",
    "layer,gpu_0,gpu_1": "column 2 ('gpu_0') is not called an expert",
    "layer,physical_0,physical_1": "column 2 ('physical_0') is not called an expert",
    "layer,top_expert0,top_expert1": "column 2 ('top_expert0') is not called an expert",
    "layer,mean,std": "column 2 ('mean') is neither",
    "rank,load": "column 1 ('rank') is neither",
    "layer,hottest_expert": "column 2 ('hottest_expert') is neither",
    "expert_id,count": "and no column says the layer",
    "layer,expert": "and no column says the count",
    "layer,expert,count,load": "both 3 ('count') and 4 ('load') may be the counts",
    "layer,expert,count,name": "4 ('name') is not its layer, expert, count, step or rank",
    "layer,expert,expert_id,count": "both say the expert",
    "expert,layer_0,layer_1": "no column says the layer",
}


@pytest.mark.parametrize("header", REFUSED)
def test_other_names_are_refused_with_a_column_that_does_not_fit(header):
    with pytest.raises(InvalidLoadsError) as info:
        columns_of(header.split(","), InvalidLoadsError)
    assert REFUSED[header] in str(info.value)


def test_a_wide_table_that_is_refused_lists_few_names():
    for names in ([f"e{2 * e}" for e in range(4096)], ["x" * 10**5, "e0"], [f"{e}{e}" for e in range(4096)]):
        with pytest.raises(InvalidLoadsError) as info:
            columns_of(names, InvalidLoadsError)
        assert len(str(info.value)) < 300


def text_of(names, rows):
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([names, *rows])
    return stream.getvalue()


@st.composite
def tables(draw):
    """Loads by layer and expert, and a table of them in which columns stand in any order."""
    num_layers, num_experts = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    values = np.array(
        draw(st.lists(st.integers(0, 99), min_size=num_layers * num_experts, max_size=num_layers * num_experts))
    )
    values = values.reshape(num_layers, num_experts)
    values[0, 0] += 1
    ids = sorted(draw(st.sets(st.integers(0, 60), min_size=num_layers, max_size=num_layers)))
    prefix = draw(st.sampled_from(PREFIXES if num_experts > 1 else PREFIXES[1:]))
    columns = {f"{prefix}{expert}": values[:, expert].tolist() for expert in range(num_experts)}
    named = draw(st.booleans()) or not prefix
    if named:
        columns[draw(st.sampled_from(LAYER_NAMES))] = ids
    names = draw(st.permutations(list(columns)))
    return (values, ids if named else None), names, columns, prefix


def both_ways(names, columns):
    """What a CSV file and a data frame with these columns are read as; an error stands for itself."""
    rows = list(zip(*(columns[name] for name in names), strict=True))
    readers = (
        lambda: parse_table(Content("x.csv", "text", text_of(names, rows))).steps,
        lambda: Loads.of(pd.DataFrame(rows, columns=names)),
    )
    for read in readers:
        try:
            yield read()
        except EplbOptError as error:
            yield error


@given(tables())
def test_tables_are_read_right_in_whatever_order_their_columns_stand(table):
    (values, ids), names, columns, _ = table
    for loads in both_ways(names, columns):
        assert isinstance(loads, Loads), loads
        assert np.array_equal(loads.values[0], values)
        assert ids is None or loads.layer_ids == tuple(ids)


@given(tables(), st.data())
def test_tables_with_a_column_too_few_too_many_or_misnamed_are_refused(table, data):
    _, names, columns, prefix = table
    experts = [name for name in names if name.startswith(prefix) and name not in LAYER_NAMES]
    kinds = ["more", "other prefix", "other axis", "from 1"] + ["missing"] * (len(experts) > 1)
    kind = data.draw(st.sampled_from(kinds))
    victim = data.draw(st.sampled_from(experts))
    renamed = {name: name for name in names}
    if kind == "more":
        more = data.draw(
            st.sampled_from(["total", "sum", "tokens", "index", "step", "std", f"{prefix}{len(experts)}0"])
        )
        columns = {**columns, more: columns[victim]}
        renamed[more] = more
        names = data.draw(st.permutations([*names, more]))
    elif kind == "missing":
        victim = data.draw(st.sampled_from([e for e in experts if e != f"{prefix}{len(experts) - 1}"]))
        names = [name for name in names if name != victim]
    elif kind == "other axis":
        other = data.draw(st.sampled_from(["L", "layer", "gpu_", "run ", "w", "prompt_", "hot_expert_", "token", "#"]))
        renamed |= {name: f"{other}{name.removeprefix(prefix)}" for name in experts}
    elif kind == "other prefix":
        renamed[victim] = f"other_{victim}" if len(experts) > 1 else "other"
    else:
        renamed |= {name: f"{prefix}{int(name.removeprefix(prefix)) + 1}" for name in experts}
    shown = [renamed[name] for name in names]
    for answer in both_ways(shown, {renamed[name]: columns[name] for name in names}):
        assert isinstance(answer, EplbOptError), (kind, shown, answer)
        assert len(str(answer)) < 300
        assert "\n" not in str(answer)
