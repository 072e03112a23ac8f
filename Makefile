# Needs Python 3.11+, make and the package registry; nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# One process a core; a file's tests stay together, since they share what they built.
SPREAD := -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder

.PHONY: demo test lint docs test-slow faults bench clean

demo: $(READY)  ## build and verify the example case, print where its report is
	@bash examples/demo.sh $(BIN)

test: $(READY) lint  ## linters, types, layers, documentation, all quick tests
	$(BIN)/python -m pytest -q -m "not slow" $(SPREAD)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir $(VENV)/import-linter

docs: $(READY)  ## write docs/cli.md and the tables of docs/format.md and docs/confinement.md anew
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/generate_confinement.py

test-slow: $(READY)  ## the slow tests: large exports, long fuzzing
	$(BIN)/python -m pytest -q -m slow

faults: $(READY)  ## kill -9 at 200 moments, full disks, torn writes
	$(BIN)/python -m tests.faults

bench: $(READY)  ## every figure of docs/benchmarks.md, each beside its peer
	$(BIN)/python -m benchmarks

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Muniment needs Python 3.11 or newer"'
	@echo "Setting up $(VENV): the program, its libraries and the tools of its tests. One to five minutes, once."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) demo build dist
