# Everything is set up by the first target that needs it: Python 3.11 or newer and make are enough.

# The first that runs and is new enough: a version manager's python3.13 may be there and yet refuse to start.
NEW    := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do $$p -c '$(NEW)' 2>/dev/null && echo $$p && break; done)
VENV   ?= .venv
BIN    := $(VENV)/bin
DEMO   ?= .demo
# Tests take from a millisecond to a minute: who has nothing left to do takes over some of another's.
AT_ONCE := -n auto --dist worksteal

.PHONY: demo test lint faults bench clean setup

demo: $(VENV)/.run
	@PATH="$(abspath $(BIN)):$$PATH" sh workflows/order/demo.sh

test: $(VENV)/.dev
	$(BIN)/pytest $(AT_ONCE)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# The fault and property suites in their full size, which takes hours; their figures go to docs/reliability.md.
faults: $(VENV)/.dev
	WFRUN_FAULTS=full WFRUN_FAULTS_JSON=.faults.json $(BIN)/pytest $(AT_ONCE) tests/fault tests/property
	$(BIN)/python -m tests.support.figures .faults.json

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

setup: $(VENV)/.dev

$(VENV)/.venv:
	@$(or $(PYTHON),false) -c '$(NEW)' || { echo 'wfrun needs Python 3.11 or newer: make PYTHON=/path/to/python3.11' >&2; exit 1; }
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
