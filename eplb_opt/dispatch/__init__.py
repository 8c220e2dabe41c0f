"""Dispatch: which replica of an expert serves a source, and so what each GPU carries.

Every GPU is a source: a rank that brings an equal part of the tokens of every expert. A rule sends each source to one
replica, or spreads it over several. What a replica serves is its share of the expert's load, and shares of an expert
sum to 1. A rule is a file here, and a line in ``rules.py``:

======================  ====================================================  ==========================================
rule                    share of a replica                                    engine
======================  ====================================================  ==========================================
``"even"``              1 / replicas                                          vLLM, TensorRT-LLM, SGLang without an
                                                                              all-to-all backend
``"nearest"``           of sources on its GPU, then on its node; of far       SGLang with an all-to-all backend and
                        sources 1 / replicas                                  ``--ep-dispatch-algorithm dynamic``
``"sglang-static"``     the same, but each far source asks one replica, drawn the same with ``static``
                        when the engine starts
``"by-rank"``           source g asks replica g modulo replicas               vLLM-Ascend
``"optimal"``           what makes the hottest GPU coolest                    LPLB, SGLang's ``lp``
======================  ====================================================  ==========================================

Everything here is exact: the specification by which plans are valued. `eplb_opt.kernels.shares` has the same in
floats, for search.
"""
