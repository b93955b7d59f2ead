# make quickstart   synthetic scans in, report out
# make setup        only the environment, .venv
# make test         every check that must hold

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
QUICKSTART := experiments/quickstart

.PHONY: setup quickstart test lint types contract docs-schema clean
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
