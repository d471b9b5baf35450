# Every command of the project. Python 3.11 and make are enough to begin with: the first command
# builds the environment in .venv from uv.lock, and again whenever the lock changes.

.DEFAULT_GOAL := help
.PHONY: help demo tour up down status logs test test-long lint format bench requirements

UV_VERSION := 0.13.9
BOOTSTRAP := .local/bootstrap
PYTHON := .venv/bin/python
ENVIRONMENT := .venv/.synced

# Without bytecode Airflow starts twice as slowly (Python writes it as modules are first imported;
# compiling all 34,000 files beforehand takes longer). The others lead to another environment.
unexport PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH VIRTUAL_ENV UV_PROJECT_ENVIRONMENT
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

demo: $(ENVIRONMENT) ## scored nights in BigQuery, from an empty machine; KEEP=1 leaves the stack up
	@$(PYTHON) -m examples.demo $(if $(KEEP),--keep)

tour: $(ENVIRONMENT) ## releases, drift, replays, a streaming job's whole life; KEEP=1 as above
	@$(PYTHON) -m examples.tour $(if $(KEEP),--keep)

up: $(ENVIRONMENT) ## start Airflow, its database, the local cloud and Pub/Sub
	@$(PYTHON) -m local.stack up

down: $(ENVIRONMENT) ## stop all of it, also what a crash left behind
	@$(PYTHON) -m local.stack down

status: $(ENVIRONMENT) ## what runs, and where
	@$(PYTHON) -m local.stack status || true

logs: $(ENVIRONMENT) ## the last lines of the logs; NAME=scheduler for one, FOLLOW=1 to go on
	@$(PYTHON) -m local.stack logs $(NAME) $(if $(FOLLOW),--follow)

test: $(ENVIRONMENT) ## the test suite; ARGS="-k word" for a part of it
	$(PYTHON) -m pytest -n 3 -m "not long" $(ARGS)

test-long: $(ENVIRONMENT) ## the longest histories
	$(PYTHON) -m pytest -m long $(ARGS)

lint: $(ENVIRONMENT) ## ruff and mypy
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

format: $(ENVIRONMENT) ## let ruff mend what it can
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

bench: $(ENVIRONMENT) ## measure speed and memory; a table, and JSON in bench-results/
	@$(PYTHON) -m tests.bench

requirements: $(ENVIRONMENT) ## write requirements.txt from pyproject.toml and uv.lock
	$(PYTHON) -m deploy.requirements

$(ENVIRONMENT): pyproject.toml uv.lock
	@set -e; \
	if uv --version >/dev/null 2>&1; then uv=uv; else \
	  uv=$(BOOTSTRAP)/bin/uv; \
	  if ! $$uv --version 2>/dev/null | grep -qF "uv $(UV_VERSION)"; then \
	    echo "installing uv $(UV_VERSION) into $(BOOTSTRAP)"; \
	    $$(command -v python3.11 || command -v python3) -m venv --clear $(BOOTSTRAP); \
	    $(BOOTSTRAP)/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"; \
	  fi; \
	fi; \
	echo "building the environment from uv.lock"; \
	$$uv sync --frozen --quiet
	@touch $@
