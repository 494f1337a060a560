# make demo · make test · make lint · make bench · make corpus · make docs · make lab SCENARIO=…
SHELL := /bin/bash
# Debian's own python3 first: an ordinary user can run it wherever the checkout lies.
PYTHON ?= $(shell for p in /usr/bin/python3 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
SCENARIO ?= healthy
NETWORK ?= home
ARGS ?=

.PHONY: help demo test lint bench corpus accuracy docs lab packages clean

help:
	@sed -n '1s/^# //p' Makefile

# The virtual environment is remade when the dependencies change.
$(VENV)/.ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "netdiag needs Python 3.11 or newer with venv: apt-get install python3 python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

demo: $(VENV)/.ready
	$(BIN)/netdiag demo $(ARGS)

# Installs the lab's Debian packages when root; says what is missing when not.
packages:
	tests/netns/install-packages.sh

# What only computes has as many workers as cores; the lab mostly waits, and has more. What fails is run once more by itself
# (docs/decisions.md): a failure that repeats fails the build, and one that does not stays in its output.
test: $(VENV)/.ready packages
	$(BIN)/python -m pytest -n 2 --dist loadgroup -q -m "not lab" $(ARGS) $(if $(ARGS),|| test $$? -eq 5) || $(call by_itself,not lab)
	$(BIN)/python -m pytest -n 6 --dist loadgroup -q -m lab $(ARGS) $(if $(ARGS),|| test $$? -eq 5) || $(call by_itself,lab)

by_itself = { echo "What failed, once more by itself:"; \
	$(BIN)/python -m pytest -v -m "$(1)" --last-failed --last-failed-no-failures none --maxfail 1 $(ARGS); }

lint: $(VENV)/.ready
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.ready packages
	$(BIN)/python -m benchmarks $(ARGS)

# Records bundles/ from the lab again: only the scenarios named, or all of them.
corpus: $(VENV)/.ready packages
	$(BIN)/python -m tests.corpus record $(ARGS)

# Prints the verdict over all bundles as a table and writes docs/accuracy.md from it.
accuracy: $(VENV)/.ready
	$(BIN)/python -m tests.corpus accuracy

# Writes what is generated in docs/: a page for each fault, and the accuracy over the corpus.
docs: $(VENV)/.ready
	$(BIN)/python -m tests.docs_faults
	$(BIN)/python -m tests.corpus accuracy

# A lab scenario by hand, with a shell on the customer's machine.
lab: $(VENV)/.ready packages
	$(BIN)/python -m tests.netns run $(SCENARIO) --network $(NETWORK) --shell

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
