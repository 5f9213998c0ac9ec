# Everything is set up by the first target that needs it: Python 3.11 or newer and make are enough.

PYTHON ?= $(shell command -v python3.13 || command -v python3.12 || command -v python3.11 || command -v python3)
VENV   ?= .venv
BIN    := $(VENV)/bin
DEMO   ?= .demo

.PHONY: demo test lint faults bench clean setup

demo: $(VENV)/.run
	@PATH="$(abspath $(BIN)):$$PATH" sh workflows/order/demo.sh

test: $(VENV)/.dev
	$(BIN)/pytest -n auto

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The fault and property suites in their full size.
faults: $(VENV)/.dev
	WFRUN_FAULTS=full $(BIN)/pytest -n auto tests/fault tests/property

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

setup: $(VENV)/.dev

$(VENV)/.venv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wfrun needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.venv pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.venv pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.run

$(VENV)/.bench: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $@

clean:
	rm -rf $(VENV) $(DEMO) .wfrun .sandbox .mypy_cache .ruff_cache .pytest_cache .hypothesis
