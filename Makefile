# Everything a person does with this project. `make` alone lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
NO_PIP := { echo "pip could not install (its words are above). Without internet: docs/how-to/install-with-systemd.md"; exit 1; }

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "emberwatch needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12"; exit 1; }
	@echo "[1/2] making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "cannot make a virtual environment; on Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "[2/2] installing emberwatch and what it needs (a minute or two the first time)"
	@$(PIP) --progress-bar on -e . || $(NO_PIP)
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "installing what development and tests need"
	@$(PIP) -e '.[dev]' || $(NO_PIP)
	@touch $@

install: $(VENV)/.installed ## make the virtual environment and install
	@echo "installed: $(BIN)/emberwatch --help"

demo: $(VENV)/.installed ## a district in a box: start everything, print the address and login
	@exec $(BIN)/emberwatch demo

test: $(VENV)/.installed-dev ## run every test (installs servers and a browser where it may)
	@deploy/install-test-servers
	@$(BIN)/python -m pytest -n logical --dist worksteal

check: $(VENV)/.installed-dev ## ruff, format, mypy strict, import contracts, docs, front end
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/docs
	@$(MAKE) --no-print-directory check-screens

screens/node_modules/.installed: screens/package-lock.json
	@deploy/install-node
	@cd screens && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

check-screens: screens/node_modules/.installed ## lint, type-check and compare the built screens with their source
	@cd screens && npm run --silent check

screens: screens/node_modules/.installed ## build the screens into api/static
	@cd screens && npm run --silent build

bench: $(VENV)/.installed-dev ## run the benchmarks
	@$(BIN)/python -m bench

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache screens/node_modules

.PHONY: help install demo test check check-screens screens bench clean
