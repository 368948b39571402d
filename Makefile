# The one interface: CI, CONTRIBUTING and README name these verbs and no others.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH_STAMP := $(VENV)/.installed-bench
KILLS ?= 200
STORE ?= sqlite
STORES ?= sqlite
SEED ?= 1
PYTEST_ARGS ?=
# A worker that crashes ends the run: the others would wait for ever for what it had been given.
# More than cores: what one waits for, a broker or a browser, is time for the others. Each takes up to 800 MB.
PYTEST := $(BIN)/pytest -n 3 --dist loadgroup --max-worker-restart=0
# Hundreds of processes start here: each would compile everything anew where the machine keeps no bytecode.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup run test laws stores census lint fix docs bench chaos brokers vendor clean help

help:  ## list the verbs
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort

setup: $(STAMP)  ## install the locked dependencies into .venv; nothing to do when nothing changed

$(STAMP): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { rm -rf $(VENV); echo "Python 3.11 or newer is needed, for example: make setup PYTHON=python3.12"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(BENCH_STAMP): $(STAMP) requirements-bench.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

run: setup  ## play the sample season, live at the printed address
	@exec $(BIN)/tracker run --demo

test: setup  ## the fast suite, under five minutes on two cores; says what it leaves to make stores and make brokers (STORES=sqlite,postgres: both stores)
	$(PYTEST) -n 4 --leave-brokers=apache,container $(if $(findstring postgres,$(STORES)),--require-stores=$(STORES),--leave-stores=postgres) $(PYTEST_ARGS)

laws: setup  ## every law with all the examples it asks for: make test draws a quarter of them
	$(PYTEST) -n 2 -m hypothesis --hypothesis-profile=full --leave-stores=postgres $(PYTEST_ARGS)

stores: setup  ## what touches a store, on PostgreSQL; fails when that was not exercised
	$(PYTEST) -k postgres --leave-brokers=apache,container --require-stores=postgres $(PYTEST_ARGS)

brokers: setup  ## contract suites, stories, and the roles on PostgreSQL, on real brokers; fails when one was not exercised
	$(PYTEST) tests/contracts tests/stories tests/roles -k "apache or container" --require-brokers=apache,container --require-stores=postgres $(PYTEST_ARGS)

census: setup  ## what the generated worlds of the property tests contain; fails when a case has become rare; judges two more sample seasons
	$(BIN)/python -m tests.generator.census --examples 2000 --seed $(SEED)
	DEMO_SEEDS="1 3" $(BIN)/pytest -q tests/deploy/test_demo_truth.py -k "1-28 or 3-28"

lint: setup  ## ruff, mypy, import contracts, generated pages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.documentation --check

fix: setup  ## what ruff can mend by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup  ## write the generated pages of docs/
	$(BIN)/python -m tests.documentation

bench: $(BENCH_STAMP)  ## measure P1 to P9 beside the peers; prints, never judges (QUICK=1: short; EVENTS, SERVER_EVENTS: how large logs grow)
	$(BIN)/python -m tests.benchmarks $(if $(QUICK),--quick) $(if $(EVENTS),--events $(EVENTS)) $(if $(SERVER_EVENTS),--server-events $(SERVER_EVENTS))

chaos: setup  ## kill -9 at random moments (KILLS, SEED), or prove that planted defects are caught (MUTANT=all); STORE=postgres kills the server, too (RESTARTS=20: restarts alone)
	$(BIN)/python -m tests.chaos --store $(STORE) --seed $(SEED) $(if $(MUTANT),--mutant $(MUTANT),$(if $(RESTARTS),--restarts $(RESTARTS),--kills $(KILLS)))

vendor: setup  ## fetch what is kept of other people's packages again, by name and checksum
	$(BIN)/python -m api.vendoring api/dashboard/vendor tests/api/vendor

clean:  ## remove what the verbs made
	find . -name __pycache__ -prune -exec rm -rf {} +
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
