# make quickstart   synthetic scans in, report out
# make setup        only the environment, .venv
# make test         every check that must hold
# make docs         the documentation site, docs/_build/html; a warning is an error

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
QUICKSTART := experiments/quickstart

.PHONY: setup quickstart test lint types contract docs docs-schema clean
.DELETE_ON_ERROR:

setup: $(STAMP)

$(STAMP): constraints.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

quickstart: setup
	@$(BIN)/python -m medvision.testing $(QUICKSTART)/data/ct --kind ct
	@$(BIN)/python -m medvision.testing $(QUICKSTART)/data/mr --kind mr
	@$(BIN)/medvision run $(QUICKSTART)/nodules.yaml
	@$(BIN)/medvision run $(QUICKSTART)/organ.yaml

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell
types: setup
	@$(BIN)/mypy
contract: setup
	@$(BIN)/lint-imports

test: lint types contract
	@$(BIN)/coverage erase
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --cov --cov-report=term:skip-covered

# From nothing each time: a page that was not read again would not warn again.
docs: setup
	@rm -rf docs/_build
	@$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --nitpicky -c docs -d docs/_build/doctrees . docs/_build/html
	@echo docs/_build/html/index.html
