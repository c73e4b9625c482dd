# `make` alone says what there is. Needs make and a Python of 3.11 or later; everything else goes into .venv.

PYTHON ?= $(shell for each in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	$$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$each; break; }; done)
WORKERS ?= 3
N ?= 10000
SEED ?= 0
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PYTEST := $(BIN)/pytest -q
COMPILE := build/pip-tools/bin/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --no-emit-options --allow-unsafe --no-header --extra sandbox --extra web --extra build --extra clean
UNATTENDED := --extra alerts --extra metrics --extra watch

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo picture fmt lint types imports test cov e2e bench corpus fuzz soak screenshots page-pictures check requirements clean

help: ## say what each target does
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name what; do \
		printf '%-20s %s\n' "$$name" "$$what"; done

setup: .venv/.runtime ## make .venv with the pinned packages and coursesync itself
	@# Where Python is told to write no byte code, every start would compile all of it.
	@$(BIN)/python -m compileall -q sync

demo: .venv/.runtime ## show a whole run against the local sandbox
	$(BIN)/coursesync demo

picture: demo ## draw the picture of the README anew, with soffice and pdftoppm
	$(BIN)/python sample_data/picture.py

fmt: .venv/.dev ## write the code as the formatter has it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: .venv/.dev ## check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.dev ## check types, strictly
	$(BIN)/mypy

imports: .venv/.dev ## check that imports point one way
	$(BIN)/lint-imports

test: .venv/.dev ## run the tests
	$(PYTEST) -n $(WORKERS) -m "not soak"

cov: .venv/.dev ## run the tests and show what they do not reach
	$(PYTEST) -n $(WORKERS) -m "not soak" --cov --cov-report=term-missing:skip-covered

e2e: .venv/.dev ## run the command line against a sandbox process
	$(PYTEST) -m e2e

bench: .venv/.dev ## measure beside a plain peer; a part of it: make bench PART="help same-*"
	$(BIN)/python -m tests.bench $(PART)

corpus: .venv/.dev ## read every sheet of a folder: make corpus CORPUS=dir
	$(BIN)/python -m tests.bench.corpus $(CORPUS)

fuzz: .venv/.dev ## read N sheets that were broken at random: make fuzz N=10000 SEED=0
	$(BIN)/python -m tests.bench.fuzz -n $(N) --seed $(SEED)

soak: .venv/.dev ## run the long tests, or those of a name: make soak SOAK=state_machine
	$(PYTEST) -m soak $(if $(SOAK),-k "$(SOAK)")

screenshots: .venv/.dev ## look at every page of `serve` in Chromium: build/screenshots
	$(BIN)/python -m tests.web.screenshots build/screenshots

page-pictures: .venv/.dev ## draw the pictures of the page in the README anew, in Chromium
	$(BIN)/python -m tests.web.screenshots build/screenshots sample_data

check: lint types imports test ## everything that has to hold before a commit

requirements: build/pip-tools/bin/pip-compile ## pin every package anew, with hashes and without index addresses
	$(COMPILE) --strip-extras --output-file requirements.txt pyproject.toml
	$(COMPILE) --no-strip-extras $(UNATTENDED) --constraint requirements.txt \
		--output-file requirements-unattended.txt pyproject.toml
	$(COMPILE) --no-strip-extras --extra dev $(UNATTENDED) --constraint requirements.txt \
		--output-file requirements-dev.txt pyproject.toml

clean: ## remove what builds and checks leave; the environment and reports stay
	rm -rf build dist *.egg-info .coverage .coverage.* htmlcov
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find sync tests sample_data -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.created:
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'coursesync needs Python 3.11 or later: install one, or name it, as in `make setup PYTHON=python3.12`.' >&2; \
		exit 2; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.packages: requirements.txt .venv/.created
	$(INSTALL) --require-hashes -r requirements.txt
	@touch $@

.venv/.runtime: pyproject.toml .venv/.packages
	$(INSTALL) --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q sync
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@

build/pip-tools/bin/pip-compile: .venv/.created
	$(BIN)/python -m venv build/pip-tools
	build/pip-tools/bin/python -m pip install --quiet --disable-pip-version-check pip-tools
