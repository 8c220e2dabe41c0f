"""Files in and out: recorded loads, plans of every engine, solutions.

A file becomes `Content` (its container opened), then one adapter per format or engine turns content into nouns.
"""

from eplb_opt.io.engines import read_plan, write_plan
from eplb_opt.io.load_files import read_loads, write_loads
from eplb_opt.io.native import read_solution, write_solution

__all__ = ["read_loads", "read_plan", "read_solution", "write_loads", "write_plan", "write_solution"]
