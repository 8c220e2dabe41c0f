"""Plug-ins: this planner inside serving engines, one file and one page (``vllm.md``, ``sglang.md``, ...) per engine.

Every rank of an engine plans by itself, and ranks that disagree pair a sender of weights with no receiver. So a plan is
a function of the arguments of the call and of nothing else: neither the clock nor the number of cores has a say.
"""
