# Two commands are the front door: make demo and make test. Both set themselves up.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SLOW_STAMP := $(VENV)/.installed-slow
SLOW_EXTRAS := dev,ray,spark
WORKERS ?= 2

.PHONY: demo test test-slow lint benchmarks clean
.DELETE_ON_ERROR:

demo: $(STAMP)
	$(BIN)/fleetcast demo --out runs/demo

test: $(STAMP) lint
	$(BIN)/pytest -n $(WORKERS) --dist loadfile

test-slow: $(SLOW_STAMP)
	$(BIN)/pytest -m slow

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

benchmarks: $(STAMP)
	$(BIN)/python -m benchmarks.plan

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "fleetcast needs Python 3.11 or newer; none was found on the PATH." >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# What only the slow tests need: the extras of pyproject.toml.
$(SLOW_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(SLOW_EXTRAS)]'
	touch $@

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
