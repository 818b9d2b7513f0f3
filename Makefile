# Two commands do everything on a machine with Python 3.11 or newer, git and make:
#   make demo    see YAML become live configuration, and bills become invoices, in an emulator
#   make test    run the tests
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# A lock is complete: without --no-deps pip would prefer a release newer than the pin for a requirement with extras.
LOCKED := --no-deps --require-hashes --only-binary :all:
CHECK  := $(BIN)/python -m pip check --disable-pip-version-check >/dev/null || $(BIN)/python -m pip check
WORKERS ?= 4
UV     ?= uv
LOCK   := $(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
          --no-emit-index-url --no-header --no-annotate --quiet --extra postgres --extra notify

# What decides: covered by every branch, or not done.
COMPLETE := */kernel/*,*/drafting/*,*/selection/*,*/account_filter/*,*/core/*,*/model/*,*/model.py,*/kinds/*,*/m3ter/bill.py,*/m3ter/live.py

.PHONY: demo test covered lint format lock schemas chaos forge bench package clean

demo: $(VENV)/.run
	@$(BIN)/reconciler demo

# Twice as many workers as cores: half of what tests do is waiting for processes, servers and databases.
# `make test COVERAGE=yes`, as CI calls it, adds the chaos tests in a small size, and what must be covered.
test: $(VENV)/.dev
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(if $(COVERAGE),--cov --cov-report=,-m 'not chaos')
	@$(if $(COVERAGE),$(MAKE) --no-print-directory covered,:)

covered:
	@$(BIN)/python -m coverage report > $(VENV)/coverage.txt || (cat $(VENV)/coverage.txt; exit 1)
	@$(BIN)/python -m coverage report --fail-under=100 --include='$(COMPLETE)' \
	  > $(VENV)/coverage.txt || (echo 'what decides is covered completely, or not done:'; cat $(VENV)/coverage.txt; exit 1)

lint: $(VENV)/.dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/actionlint
	$(BIN)/zizmor --offline --quiet .github action.yml

format: $(VENV)/.dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

schemas: $(VENV)/.dev
	$(BIN)/reconciler schema

# Two hundred kills, three workers on PostgreSQL, PostgreSQL itself restarted: long.
chaos: $(VENV)/.dev
	$(BIN)/python -m pytest tests/chaos tests/plan tests/sync tests/acceptance -p no:randomly --chaos-full

# Gitea itself: built from its Go module once (ten minutes), then asked what its description leaves open.
forge: $(VENV)/.dev
	@if command -v go >/dev/null; then \
	  RECONCILER_GITEA=$$(tests/forge/gitea/build "$(CURDIR)/$(VENV)/gitea") \
	    $(BIN)/python -m pytest tests/forge/test_real_gitea.py -p no:randomly; \
	else echo 'skipped: Go is not installed, and Gitea is built from its Go module'; fi

# Ratios against peers in one run; never a pass or a failure.
bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

# The wheel works without the sources: build it, install it elsewhere, run its demo there.
package: $(VENV)/.dev
	@sh .ci/package $(BIN)/python

lock:
	$(LOCK) --group build --output-file requirements/run.txt
	$(LOCK) --group dev --output-file requirements/dev.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  (echo 'Python 3.11 or newer is needed; say which with: make PYTHON=/path/to/python3.11 ...'; exit 1)
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/python
	@test -e $(VENV)/.dev || $(PIP) $(LOCKED) -r requirements/run.txt
	@$(PIP) --no-build-isolation --no-deps --editable .
	@$(CHECK)
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(BIN)/python
	@$(PIP) $(LOCKED) -r requirements/dev.txt
	@$(PIP) --no-build-isolation --no-deps --editable .
	@$(CHECK)
	@touch $@
