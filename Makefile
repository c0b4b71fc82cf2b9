# make demo  from a fresh clone to the running app      make check  format, lint, types, imports
# make test  from a fresh clone to a finished test run  make bench  speed of every rung on this machine
#
# PYTHON=...       the Python to build .venv with (3.11 or newer)
# TORCH_INDEX=...  a package index to take torch from, where another build of it is wanted
# PYTEST_FLAGS=... instead of two processes, a file to one of them

PYTHON ?= python3
TORCH_INDEX ?=
PYTEST_FLAGS ?= -n 2 --dist loadfile

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install

CHROMIUM = $(firstword $(foreach name,chromium-headless-shell chromium chromium-browser google-chrome,$(shell command -v $(name) 2>/dev/null)))

.DEFAULT_GOAL := help
.PHONY: help demo test check bench docs clean weights chromium

help:
	@echo "make demo   set everything up and start the app on http://127.0.0.1:7860"
	@echo "make test   set everything up and run all tests"
	@echo "make check  format, lint, types and import directions"
	@echo "make bench  speed of every rung on this machine"
	@echo "make docs   regenerate what docs/ takes from the code"
	@echo "make clean  remove .venv and caches; data/ stays"

demo: $(VENV)/.runtime weights
	L2D_AUTH=$${L2D_AUTH:-off} $(BIN)/python app.py serve

test: $(VENV)/.dev chromium weights
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/.runtime weights
	$(BIN)/python app.py bench

docs: $(VENV)/.dev chromium weights
	$(BIN)/python -m scripts.generate_docs
	$(BIN)/python -m scripts.generate_results
	$(BIN)/python -m scripts.guide_pictures

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Does nothing where the weights are whole; goes on where an earlier download stopped.
weights: $(VENV)/.runtime
	$(BIN)/python app.py model pull

chromium:
	@if [ -n "$(CHROMIUM)" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing Chromium for the browser tests"; \
		apt-get update && for name in chromium-headless-shell chromium; do \
			DEBIAN_FRONTEND=noninteractive apt-get install -y $$name fonts-noto-cjk && break; done; \
	else \
		echo "The browser tests need Chromium and a Japanese font. On Debian or Ubuntu:" >&2; \
		echo "    sudo apt-get install chromium fonts-noto-cjk" >&2; \
		exit 1; \
	fi

# Stamps: written once a step is whole, so that an interrupted one is done again and a finished one is not.
$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { \
		echo "$(PYTHON) is missing. Install Python 3.11 or newer, or name one: make PYTHON=/path/to/python" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=..." >&2; \
		exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) lacks venv. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; \
		exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: requirements.txt | $(VENV)/.made
	@echo "installing torch and the runtime packages; some minutes the first time"
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$$(grep '^torch==' requirements.txt)"
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	$(PIP) -r requirements-dev.txt
	@touch $@
