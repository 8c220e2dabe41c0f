"""Recognition: which engine's plan a file is, for those who read plans and for those who were given one by mistake."""

from __future__ import annotations

from eplb_opt.io import ascend, deepseek, native, sglang, trtllm, vllm
from eplb_opt.io.content import Content

_ENGINES = {
    "native": native,
    "sglang": sglang,
    "vllm": vllm,
    "trtllm": trtllm,
    "ascend": ascend,
    "deepseek": deepseek,
}


def plan_engine(content: Content) -> str | None:
    """Name of the engine whose plan a file is, ``None`` if it is no plan."""
    if sglang.holds_loads(content):
        # A recording may name the plan that ran.
        return None
    return next((name for name, engine in _ENGINES.items() if engine.holds_plan(content)), None)
