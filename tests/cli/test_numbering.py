"""Which layers the rows of a plan are: the same answer from every command, and what convert writes verify accepts."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

import eplb_opt
from eplb_opt.cli.plans import Asked, PlanSource
from eplb_opt.deployment import Deployment
from eplb_opt.errors import InvalidPlanError
from eplb_opt.io import read_plan, write_loads, write_plan
from eplb_opt.io.content import parse_content
from eplb_opt.io.recognition import ENGINES
from eplb_opt.model import Model
from eplb_opt.models import MODELS
from eplb_opt.plan import Plan

SMALL = Model("small", 6, (2, 3, 4, 5), 8, 2, num_draft_layers=1)
FILES = {"native": "f.json", "sglang": "f.json", "vllm": "f.jsonl", "trtllm": "f.yaml", "ascend": "f.json"}
FILES |= {"deepseek": "f.npz"}
DEPLOYMENT = Deployment(2, 12)


def rows(count, seed=0):
    """Valid rows of 8 experts in 12 slots of two GPUs, all different."""
    random = np.random.default_rng(seed)
    first = np.array([random.permutation(8)[:6] for _ in range(count)])
    second = [np.concatenate([np.setdiff1d(range(8), row), random.permutation(row)[:4]]) for row in first]
    return np.concatenate([first, second], axis=1)


@pytest.fixture
def recording(run, monkeypatch):
    monkeypatch.setitem(MODELS, "small", SMALL)
    counts = np.random.default_rng(0).integers(1, 1000, (4, 8))
    write_loads(eplb_opt.Loads(counts, layer_ids=range(2, 6), num_model_layers=6), "loads.json")
    return "loads.json"


def commands(file, engine):
    """Every command that reads a plan of a model, with how it says that it could."""
    options, slots = ["--model", "small", "--gpus", 2, "--engine", engine], ["--slots", 12]
    return {
        "evaluate": ["evaluate", file, "loads.json", *options],
        "verify": ["verify", file, "loads.json", *options],
        "convert": ["convert", file, "--to", "native", "-o", "out.json", *options],
        "solve": [
            "solve",
            "loads.json",
            "--warm-start",
            file,
            "--method",
            "greedy",
            "-o",
            "w.json",
            *options[:4],
            *slots,
        ],
        "report": ["report", file, "loads.json", "--markdown", "r.md", "--time-limit", 0.1, *options[:4]],
    }


def numbered(engine, ids, layers):
    """A file of the engine whose rows it counts as `ids` of `layers`."""
    table = rows(len(ids))
    plan = Plan(table, DEPLOYMENT, 8, ids, layers, numbering=ENGINES[engine].numbering or "decoder")
    write_plan(plan, FILES[engine], engine)
    return FILES[engine]


@pytest.mark.parametrize(
    ("engine", "ids", "layers", "says"),
    [
        ("trtllm", range(4), 4, "layer 4 of small has experts and no row"),
        ("trtllm", range(1, 5), 5, "layer 5 of small has experts and no row"),
        ("sglang", range(4), 4, "has 4 rows, the model 6 decoder layers"),
        ("sglang", range(7), 7, "has 7 rows, the model 6 decoder layers"),
        ("vllm", range(6), 6, "the plan is for MoE layers 0-5 of 6, small has 6 decoder layers, experts in 2-5"),
        ("ascend", range(5), 5, "the plan is for MoE layers 0-4 of 5, small has 6 decoder layers, experts in 2-5"),
    ],
)
def test_rows_that_an_engine_counts_are_not_counted_anew(run, recording, engine, ids, layers, says):
    file = numbered(engine, ids, layers)
    for command, words in commands(file, engine).items():
        code, out, err = run(*words)
        assert code == (1 if command == "verify" else 2), command
        assert says in out + err
        assert not Path("out.json").exists() and not Path("r.md").exists()


@pytest.mark.parametrize(
    ("engine", "ids", "layers"),
    [
        ("trtllm", range(2, 6), 6),
        ("trtllm", range(2, 7), 7),
        ("trtllm", range(6), 6),
        ("sglang", range(6), 6),
        ("vllm", range(4), 4),
        ("ascend", range(4), 4),
        ("native", range(4), 4),
        ("native", range(2, 6), 6),
        ("native", range(6), 6),
        ("deepseek", range(4), 4),
        ("deepseek", range(2, 6), 6),
    ],
)
def test_rows_that_are_those_of_the_model_are_read_alike_by_all(run, recording, engine, ids, layers):
    file = numbered(engine, ids, layers)
    for command, words in commands(file, engine).items():
        code, out, err = run(*words)
        assert code == 0, (command, out, err)
    plan = read_plan("out.json")
    first = 2 if len(ids) == 6 else 0
    assert plan == Plan(rows(len(ids))[first : first + 4], DEPLOYMENT, 8, range(2, 6), 6)


@given(ids=st.sets(st.integers(0, 8), min_size=1), engine=st.sampled_from([e for e in ENGINES if e != "native"]))
def test_a_row_is_of_the_layer_that_its_engine_reads_it_for_or_refused(ids, engine):
    table = rows(len(ids))
    labels = {"layer_ids": tuple(sorted(ids)), "num_model_layers": max(ids) + 1}
    plan = Plan(table, DEPLOYMENT, 8, **(labels if ENGINES[engine].numbering != "moe" else {"numbering": "moe"}))
    data = ENGINES[engine].format(plan, FILES[engine])
    content = parse_content(data if isinstance(data, bytes) else data.encode(), FILES[engine])
    try:
        found, _ = PlanSource(content, engine, Asked(gpus=2)).plan(model=SMALL)
    except InvalidPlanError:
        if engine == "trtllm":
            assert not {2, 3, 4, 5} <= ids
        elif engine == "sglang":
            assert max(ids) != 5
        elif engine == "deepseek":
            assert not ({2, 3, 4, 5} <= ids and max(ids) in (5, 6)) and ids != set(range(4))
        else:
            assert len(ids) != 4
        return
    assert found.layer_ids == (2, 3, 4, 5) and found.num_model_layers == 6
    if engine == "sglang":
        given = {layer: row for layer, row in zip(sorted(ids), table.tolist(), strict=True) if layer in (2, 3, 4, 5)}
        assert given.items() <= dict(zip((2, 3, 4, 5), found.physical_to_logical.tolist(), strict=True)).items()
    else:
        kept = range(len(ids)) if len(ids) == 4 else [i for i, layer in enumerate(sorted(ids)) if layer in (2, 3, 4, 5)]
        assert found.physical_to_logical.tolist() == table[list(kept)].tolist()


def test_layer_ids_do_not_renumber_what_an_engine_counts(run, recording):
    for engine, ids, layers in (("trtllm", range(4), 4), ("sglang", range(4), 4)):
        file = numbered(engine, ids, layers)
        code, out, err = run("convert", file, "--to", "vllm", "-o", "out.jsonl", "--layer-ids", "2-5")
        assert (code, out) == (2, "")
        assert "the plan has no layer 4-5; it has layers 0-3" in err
    for engine in ("vllm", "native", "deepseek"):
        file = numbered(engine, range(4), 4)
        assert run("convert", file, "--to", "sglang", "-o", "out.json", "--layer-ids", "2-5")[0] == 0
        assert len(json.loads(Path("out.json").read_text())["physical_to_logical_map"]) == 6


def test_a_solution_counted_from_0_gets_the_layers_of_the_model_in_a_report(run, recording):
    np.save("counts.npy", np.random.default_rng(0).integers(1, 1000, (4, 8)))
    loads = eplb_opt.Loads(np.load("counts.npy"))
    eplb_opt.solve(loads, DEPLOYMENT, time_limit=0.2).save("solution.json")
    report = ["report", "--markdown", "r.md", "--time-limit", 0.2]
    for command in (["verify", "solution.json"], ["evaluate", "solution.json"], report):
        files = ["counts.npy"] if command[1] == "solution.json" else ["counts.npy", "solution.json"]
        code, out, err = run(*command, *files, "--model", "small")
        assert code == 0, (command, out, err)


def test_a_statistic_of_tensorrt_llm_counted_from_0_is_not_of_a_model_with_dense_layers(run):
    Path("statistic").mkdir()
    Path("statistic/meta_info.json").write_text('{"num_experts": 256, "num_experts_per_token": 8}')
    counts = np.random.default_rng(0).integers(1, 1000, (58, 256))
    for first, code in ((0, 2), (3, 0)):
        save_file({f"100_{layer + first}": row for layer, row in enumerate(counts)}, "statistic/rank0.safetensors")
        shape = ["--gpus", 8, "--slots", 256, "--method", "greedy", "-o", "plan.json"]
        found, _, err = run("solve", "statistic", "--model", "deepseek-v3", *shape)
        assert found == code
        assert code == 0 or "the recording has 58 decoder layers, deepseek-v3 has 61" in err


def test_a_plan_of_tensorrt_llm_is_worth_what_its_engine_makes_of_it(run):
    Path("statistic").mkdir()
    Path("statistic/meta_info.json").write_text('{"num_experts": 256, "num_experts_per_token": 8}')
    counts = np.random.default_rng(0).pareto(1.0, (58, 256)) * 1000
    save_file({f"100_{layer + 3}": row.astype(int) for layer, row in enumerate(counts)}, "statistic/rank0.safetensors")
    shape, model = ["--gpus", 8, "--slots", 288], ["--model", "deepseek-v3"]
    assert run("solve", "statistic", *shape, *model, "--method", "greedy", "--policy", "global", "-o", "p.json")[0] == 0
    assert run("convert", "p.json", "--to", "trtllm", "-o", "p.yaml")[0] == 0
    figures = [
        json.loads(run("evaluate", plan, "statistic", "--gpus", 8, *model, "--json")[1])["summary"]
        for plan in ("p.json", "p.yaml")
    ]
    assert figures[0] == figures[1]
    document = yaml.safe_load(Path("p.yaml").read_text())
    rows = document["initial_global_assignments"]
    document["initial_global_assignments"] = {layer - 3: row for layer, row in rows.items()}
    Path("moved.yaml").write_text(yaml.safe_dump(document, width=10**6, default_flow_style=None))
    for command in (
        ["evaluate", "moved.yaml", "statistic"],
        ["convert", "moved.yaml", "--to", "vllm", "-o", "v.jsonl"],
    ):
        code, out, err = run(*command, "--gpus", 8, *model)
        assert (code, out) == (2, "")
        assert "moved.yaml: layer 58 of deepseek-v3 has experts and no row (and 2 more)" in err


def numbering_of(model):
    """First layer with experts, steps to the next ones, layers after the last, and draft layers: all that counts."""
    ids = model.moe_layer_ids
    return ids[0], frozenset(np.diff(ids).tolist()), model.num_layers - ids[-1], model.num_draft_layers


# Each kind of numbering once.
NUMBERED = {numbering_of(model): name for name, model in MODELS.items()}.values()


@pytest.mark.parametrize("name", NUMBERED)
def test_what_convert_writes_for_a_model_is_what_verify_accepts(run, monkeypatch, name):
    model = replace(MODELS[name], num_experts=4, num_groups=1)  # layers are what this is about
    monkeypatch.setitem(MODELS, name, model)
    table = np.tile(np.roll(np.arange(model.num_experts), 1), (len(model.moe_layer_ids), 1))
    plan = Plan(table, Deployment(2, model.num_experts), model.num_experts, numbering="moe")
    write_plan(plan, "plan.json", "native")
    for engine, file in FILES.items():
        file = f"{engine}-{file}"
        code, out, err = run("convert", "plan.json", "--to", engine, "-o", file, "--model", name)
        assert code == 0, err
        code, out, err = run("verify", file, "--for", engine, "--model", name, "--gpus", 2)
        assert (code, out.splitlines()[0].split(";")[0]) == (0, f"{file}: valid"), (engine, out, err)
        drafts = ("--draft-layers", 1)
        code, out, err = run("convert", "plan.json", "--to", engine, "-o", f"d-{file}", "--model", name, *drafts)
        if engine == "trtllm":
            assert code == 0
            last = yaml.safe_load(Path(f"d-{file}").read_text())["initial_global_assignments"]
            assert max(last) == model.num_layers and last[model.num_layers] == last[model.moe_layer_ids[-1]]
            assert run("verify", f"d-{file}", "--for", engine, "--model", name, "--gpus", 2)[0] == 0
        else:
            assert (code, out, err.count("\n")) == (2, "", 1)
            assert err.startswith("eplb-opt: draft_layers=1, but ") and err.endswith(": leave it out\n")
            assert not Path(f"d-{file}").exists()


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_written_is_read_back_before_it_is_there(tmp_path, monkeypatch, engine):
    path = tmp_path / FILES[engine]
    plan = Plan(rows(4), DEPLOYMENT, 8, range(2, 6), 6)
    other = Plan(rows(4, seed=1), DEPLOYMENT, 8, range(2, 6), 6)
    wrong = ENGINES[engine].format(other, str(path))
    monkeypatch.setitem(ENGINES, engine, replace(ENGINES[engine], format=lambda plan, name: wrong))
    with pytest.raises(InvalidPlanError, match="is not written: read back it is another plan"):
        write_plan(plan, path, engine)
    assert list(tmp_path.iterdir()) == []
