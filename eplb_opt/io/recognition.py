"""Recognition: which engine's plan a file is, for those who read plans and for those who were given one by mistake."""

from __future__ import annotations

from eplb_opt.io import ascend, deepseek, native, sglang, trtllm, vllm
from eplb_opt.io.content import Content

# The engines by name: a new one is a file beside these, and a line here.
ENGINES = {
    "native": native.ENGINE,
    "sglang": sglang.ENGINE,
    "vllm": vllm.ENGINE,
    "trtllm": trtllm.ENGINE,
    "ascend": ascend.ENGINE,
    "deepseek": deepseek.ENGINE,
}


def plan_engine(content: Content) -> str | None:
    """Name of the engine whose plan a file is, ``None`` if it is no plan."""
    if sglang.holds_loads(content):
        # A recording may name the plan that ran.
        return None
    return next((name for name, engine in ENGINES.items() if engine.holds(content)), None)
