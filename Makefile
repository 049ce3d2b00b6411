# `make` alone lists what there is. Everything runs in .venv, which is made when it is first needed and
# brought up to date when the locks or pyproject.toml change. Another Python: make clean, then make PYTHON=python3.13 demo

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest --numprocesses=auto
# Tests wait for other programs for much of the time: four run at once on two cores. Those of a module share what they
# set up, so they stay together; modules with slow tests come first (tests/conftest.py).
PYTEST_ALL := $(BIN)/python -m pytest --numprocesses=$$(($$(getconf _NPROCESSORS_ONLN) * 2)) --dist=loadscope --no-loadscope-reorder

# Marks of finished set-up, all of them inside .venv. Its programs hold the path of the checkout, so the first mark
# names that path: a checkout that was moved or copied sets up anew.
MADE := $(VENV)/made-$(shell pwd | cksum | cut -d ' ' -f 1)
BASE := $(VENV)/installed-base
DEV := $(VENV)/installed-dev

# The tests start hundreds of programs, and without bytecode each of them would compile the kit again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-all soak hub fuzz bench bench-watch lint lock release figures clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(BASE) ## grade the sample class and show the table; installs only what grading needs
	@$(BIN)/autograder demo

test: $(DEV) ## the quick tests
	@$(PYTEST) -m "not slow and not soak"

test-all: $(DEV) ## all tests, the long ones included
	@$(PYTEST_ALL) -m "not soak"

soak: $(DEV) ## the long proofs, whole: 200 draws of every case; some twenty minutes
	@AUTOGRADER_PROOF_SEEDS=200 $(PYTEST) --dist=worksteal -rP tests/unit/solutions/test_fairness.py tests/test_truth.py \
		tests/unit/feedback/test_pairs.py
	@AUTOGRADER_PROOF_SEEDS=200 $(PYTEST) --dist=worksteal -m soak

bench: $(DEV) ## how fast: the jail, a class, nbgrader; on an idle machine, some ten minutes
	@$(BIN)/python tests/benchmarks/bench_jail.py
	@$(BIN)/python tests/benchmarks/bench_class.py
	@$(BIN)/python tests/benchmarks/bench_nbgrader.py

bench-watch: $(DEV) ## how long students wait for an answer; on an idle machine, some ten minutes
	@$(BIN)/python tests/benchmarks/bench_watch.py

PROXY := tests/hub/node_modules

hub: $(DEV) $(PROXY) ## a whole JupyterHub in a browser; makes three accounts on this machine, and removes them again
	@AUTOGRADER_HUB_ACCOUNTS=1 $(BIN)/python -m pytest tests/hub

$(PROXY): tests/hub/package-lock.json
	@cd tests/hub && npm ci --ignore-scripts --silent
	@touch $@

ATHERIS := build/atheris
SECONDS := 120

fuzz: $(DEV) $(ATHERIS) ## bytes that find new paths through what reads students' files: make fuzz SECONDS=60 TARGET=script
	@for target in $(or $(TARGET),$$($(BIN)/python -m tests.fuzz.targets)); do \
		echo "$$target:"; PYTHONPATH=$(ATHERIS) $(BIN)/python -m tests.fuzz.fuzz "$$target" $(SECONDS) || exit 1; done

lint: $(DEV) ## style, types, the shape of the project
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/repo-review --show err .

release: $(DEV) ## build assignments/ from solutions/
	@for exercise in solutions/*/; do $(BIN)/autograder release "$$(basename "$$exercise")" || exit 1; done

figures: $(DEV) ## draw the figures of the exercises again, and that of the engine's rooms
	@for figures in solutions/*/figures.py; do $(BIN)/python "$$figures" || exit 1; done
	@$(BIN)/python -m tests.rooms

UPGRADE :=
COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv --no-config pip compile --quiet $(UPGRADE) \
	--universal --python-version 3.11 --generate-hashes --no-emit-index-url pyproject.toml

lock: $(DEV) ## resolve both lock files again; newest versions of everything: make lock UPGRADE=--upgrade
	$(COMPILE) --group build --output-file requirements.lock
	$(COMPILE) --extra release --extra cluster --group dev --constraint requirements.lock --output-file requirements-dev.lock

# build/source is where earlier versions had nbgrader's sources: somebody's own may still be there.
clean: ## remove .venv, caches and build products; leaves sources, grades and the course's secret alone
	rm -rf $(VENV) dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	[ ! -d build ] || find build -mindepth 1 -maxdepth 1 ! -name source -exec rm -rf {} +
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# In no lock, because nothing else needs it, and there are no wheels for every Python.
$(ATHERIS): $(DEV)
	@$(PIP) install --no-deps --only-binary :all: --upgrade --target $@ atheris==3.0.0
	@touch $@

$(MADE):
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no $(PYTHON) here: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$("$(PYTHON)" --version 2>&1), and 3.11 or newer is needed; name one: make PYTHON=python3.13" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: install its venv package (on Debian and Ubuntu: apt-get install python3-venv) and try again." >&2; exit 1; }
	@echo "Setting up: a virtual environment in $(VENV) ($$("$(PYTHON)" --version))"
	@"$(PYTHON)" -m venv --clear $(VENV)
	@touch $@

$(BASE): requirements.lock pyproject.toml $(MADE)
	@echo "Setting up: what grading needs (requirements.lock)"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): requirements-dev.lock $(BASE)
	@echo "Setting up: nbgrader, Jupyter and the test tools (requirements-dev.lock)"
	@$(PIP) install --no-deps --require-hashes -r requirements-dev.lock
	@touch $@
