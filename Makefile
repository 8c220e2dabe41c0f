PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test engines lint wheel clean

# Generate a recording, plan it, convert it, verify it: everything from a fresh checkout.
demo: $(VENV)/.installed
	$(BIN)/eplb-opt demo

# Processes that run tests side by side.
JOBS ?= 2

# All tests, from a fresh checkout. Tests on recordings that are not part of the project are skipped without them, and
# tests with the engines' own parsers where their sources cannot be had. Kernels are compiled before: processes side by
# side would all begin with that.
test: $(VENV)/.installed
	-$(MAKE) --no-print-directory engines
	$(BIN)/eplb-opt warm-up
	$(BIN)/pytest --numprocesses $(JOBS) --dist worksteal

# Sources of the engines, pinned, for tests that give them our command lines: 100 MB to download, a minute or two.
engines: $(VENV)/.installed
	$(BIN)/python tests/engines/fetch.py $(VENV)/engines

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The package as people install it: built, installed where this checkout cannot be seen, and asked for plans.
wheel: $(VENV)/.installed
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/python -m tests.check_wheel dist/*.whl

clean:
	rm -rf $(VENV) demo dist

# The constraints pin every tested version. torch comes first and by itself: a looser request for it, from a dependency,
# could bring a later build with gigabytes of CUDA libraries.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
