"""The pages of the engines: from a recording to a checked file and a report, by the commands that they give."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from eplb_opt.cli.main import main
from eplb_opt.generate import generate_loads
from eplb_opt.io import read_plan
from tests.plugins.test_pages import PAGES, blocks

LOADS = generate_loads(num_experts=256, num_layers=58, skew=0.8, tokens=100_000).values[0]


def write_sglang():
    counts = np.concatenate([np.zeros((3, 256), dtype=int), LOADS])
    content = {"rank": 0, "logical_count": torch.tensor(counts)[None], "average_utilization_rate_over_window": None}
    torch.save(content, "decode.pt")


def write_vllm():
    meta = {"record_type": "eplb_load_meta", "version": 1, "model": "m", "num_ranks": 8, "num_groups": 8}
    meta |= {"num_nodes": 1, "num_layers": 58, "num_redundant_experts": 0}
    stats = {"record_type": "eplb_load_stats", "version": 1, "step": 7, "expert_load": LOADS.tolist()}
    stats |= {"p2l_map": [list(range(256))] * 58}
    Path("stats.jsonl").write_text(json.dumps(meta) + "\n" + json.dumps(stats) + "\n")


def write_trtllm():
    Path("expert_statistic").mkdir()
    Path("expert_statistic/meta_info.json").write_text('{"num_experts": 256, "num_experts_per_token": 8}')
    save_file({f"100_{layer + 3}": row for layer, row in enumerate(LOADS)}, "expert_statistic/rank0.safetensors")


def write_ascend():
    torch.save(torch.tensor(LOADS), "loads.pt")


def write_deepseek():
    np.save("loads.npy", LOADS[:2, :64])


# The pages give these as long as a plan deserves.
SHORT = dict.fromkeys(("solve", "report"), ("--time-limit", "0.1"))
RECORDINGS = {
    "sglang": write_sglang,
    "vllm": write_vllm,
    "trtllm": write_trtllm,
    "ascend": write_ascend,
    "deepseek": write_deepseek,
}


@pytest.mark.usefixtures("plain_figures")
@pytest.mark.parametrize("engine", RECORDINGS)
def test_the_commands_of_a_page_lead_from_a_recording_to_a_report(tmp_path, monkeypatch, capsys, engine):
    monkeypatch.chdir(tmp_path)
    RECORDINGS[engine]()
    (commands,) = [block for block in blocks(engine, "console") if "eplb-opt solve" in block]
    lines = commands.strip().splitlines()
    assert [line.split()[1] for line in lines] == ["inspect", "solve", "convert", "verify", "report"][-len(lines) :]
    printed = {}
    for line in lines:
        words = [*shlex.split(re.sub(r" --time-limit \d+", "", line)), *SHORT.get(line.split()[1], ())]
        with pytest.raises(SystemExit) as exit_:
            main(words[1:])
        printed[words[1]] = capsys.readouterr().out
        assert exit_.value.code == 0, line
    assert "valid; " in printed["verify"]
    assert Path("report.html").read_text().startswith("<!DOCTYPE html>")
    assert read_plan("solution.json").num_experts == (64 if engine == "deepseek" else 256)
    if engine != "deepseek":
        assert "layers 3-60" in printed["verify"]
        # What is added to a command is on the page as it is printed, but for where the page breaks the line.
        added = [line for line in printed["convert"].splitlines()[2:] if not line.startswith("  #")]
        page = " ".join((PAGES / f"{engine}.md").read_text().replace("\\\n", " ").split())
        assert added and all(" ".join(line.split()) in page for line in added)


def test_every_engine_has_its_page():
    assert set(RECORDINGS) <= {page.stem for page in PAGES.glob("*.md")}
