# The two commands: `make run` (a phone call, start to end) and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run run-real test lint bench clean

$(VENV)/.installed: setup.py pyproject.toml
	@echo "== creating $(VENV) and installing Ringline (a few minutes the first time)"
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Ringline needs Python 3.11 or later: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --progress-bar on --disable-pip-version-check -e '.[dev]'
	@touch $@

run: $(VENV)/.installed
	$(BIN)/ringline demo

# The same with Whisper and Kokoro, whose weights must be here: it says how to get them.
run-real: $(VENV)/.installed
	$(BIN)/ringline demo --real

# Calls in real time, with engines of several processes, mostly wait: two of them at a time, and nothing beside them.
test: $(VENV)/.installed
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --ignore tests/system
	$(BIN)/python -m pytest -n auto --maxprocesses 2 --dist loadfile tests/system

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# 20 minutes, in which nothing else may run.
bench: $(VENV)/.installed
	$(BIN)/python -m bench.performance

clean:
	rm -rf $(VENV) build dist *.egg-info src/*.egg-info
