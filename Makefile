# Leadlight needs Python 3.11 or newer and make. Everything else is set up here, once, in .venv.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LEADLIGHT := $(BIN)/leadlight
DEMO := demo
AS_OF := 2026-06-30
BENCH ?= --leads 1000000 --events 20000000
# One more than cores: some tests wait for a network or a process.
WORKERS ?= $(shell expr $$(nproc 2>/dev/null || echo 2) + 1)
# Compiled files are kept, though the environment may say otherwise: each worker and each process that a test starts would
# compile all of it again.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --durations 12
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate

# The first Python that is new enough and can make environments; name another with: make PYTHON=/path/to/python
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& echo $$python && break; done)

.DEFAULT_GOAL := help
.PHONY: help demo test slow lint types format bench playbooks lock clean

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' Makefile

demo: $(READY) ## a simulated company, ranked and explained, in the folder demo
	@test -f $(DEMO)/leadlight.yaml || $(LEADLIGHT) init $(DEMO) --template demo >/dev/null
	@echo; echo "== leadlight simulate $(DEMO)/data"; $(LEADLIGHT) simulate $(DEMO)/data
	@echo; echo "== leadlight ingest"; $(LEADLIGHT) ingest -w $(DEMO)
	@echo; echo "== leadlight score"; $(LEADLIGHT) score -w $(DEMO) --as-of 2026-05-31 >/dev/null
	@$(LEADLIGHT) score -w $(DEMO) --as-of $(AS_OF)
	@echo; echo "== leadlight rank"; $(LEADLIGHT) rank -w $(DEMO) --as-of $(AS_OF)
	@echo; $(LEADLIGHT) export $(DEMO)/ranking.csv -w $(DEMO) --as-of $(AS_OF)
	@$(LEADLIGHT) report $(DEMO)/report.html -w $(DEMO) --as-of $(AS_OF)
	@echo; echo "== leadlight learn"; $(LEADLIGHT) learn -w $(DEMO) --as-of $(AS_OF)
	@first=$$(sed -n 2p $(DEMO)/ranking.csv | cut -d, -f2); \
	echo; echo "Open $(DEMO)/report.html, then try:"; \
	echo "  $(LEADLIGHT) explain $$first -w $(DEMO) --as-of $(AS_OF)"; \
	echo "  $(LEADLIGHT) why $$first -w $(DEMO) --since 2026-05-31 --until $(AS_OF)"; \
	echo "  $(LEADLIGHT) similar $$first -w $(DEMO) --as-of $(AS_OF)"; \
	echo "  $(LEADLIGHT) profile -w $(DEMO) --as-of $(AS_OF)"; \
	echo "  edit $(DEMO)/scorecards/house.yaml, then $(LEADLIGHT) diff -w $(DEMO) --as-of $(AS_OF)"; \
	echo "  $(LEADLIGHT) init shop     (a small workspace for your own data)"

test: lint types ## all checks, and all tests but the long ones
	$(PYTEST) -m "not slow"

slow: $(READY) ## the long tests: browsers and Node, kills, real data, several processes
	$(PYTEST) -m slow

lint: $(READY) ## style, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(READY) ## static types
	$(BIN)/mypy

format: $(READY) ## lay the code out
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## speed and memory, side by side with other engines (takes an hour)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-bench.lock
	$(BIN)/python benchmarks/score_batch.py $(BENCH)
	$(BIN)/python benchmarks/as_of_pairs.py $(BENCH)
	$(BIN)/python benchmarks/explain_one.py $(BENCH)

playbooks: $(READY) ## every playbook on real data: the figures of docs/playbooks (takes half an hour)
	$(BIN)/python benchmarks/playbooks/run.py

lock: $(READY) ## take the newest versions of everything into requirements*.lock
	$(COMPILE) pyproject.toml --all-extras --group dev -o requirements.lock
	$(COMPILE) pyproject.toml --group bench -c requirements.lock -o requirements-bench.lock
	echo uv | $(COMPILE) - -o requirements-uv.lock
	@! grep -nE '://|file:' requirements*.lock

clean: ## remove the environment, the demo and all caches
	rm -rf $(VENV) $(DEMO) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# uv is ten times as fast; where it cannot reach the packages (a mirror that only pip knows), pip can.
$(READY): requirements.lock requirements-uv.lock pyproject.toml
	@"$(PYTHON)" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "Leadlight needs Python 3.11 or newer, with venv: found $(if $(PYTHON),none as $(PYTHON),none on the PATH)."; \
	echo "Install one (Debian: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) (once; it takes a minute)"
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	|| { rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); }
	@export UV_COMPILE_BYTECODE=1; \
	pip="$(BIN)/python -m pip --disable-pip-version-check install -qq"; uv="$(BIN)/uv pip install --quiet --python $(BIN)/python"; \
	{ $$pip --require-hashes -r requirements-uv.lock && $$uv --require-hashes -r requirements.lock; } \
	|| { echo "uv does not get there; pip takes over"; $$pip --require-hashes -r requirements.lock; }
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --no-deps --no-build-isolation -e .
	@touch $@
