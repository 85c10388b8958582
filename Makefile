SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
LOCK := ops/requirements.lock
STAMP := .venv/.installed
CODE := service projections migrations tests ops grafana
DATA ?= .muster
PORT ?= 8110

CROWD ?= 4 # test runners at once, each with a Postgres of its own: most of a test is waiting
ONCE := embedded/test_up.py embedded/test_embedded.py embedded/test_os_user.py embedded/test_demo.py behaviour/test_fanout.py export/test_prometheus.py # the embedded 18 itself, a long scale, Prometheus: not again on 15
SIDE_BY_SIDE := --numprocesses $(CROWD) --dist loadfile --no-loadscope-reorder

.PHONY: help setup up demo demo-night prove-numbers observe test check fmt rules rules-mutate generate verify dashboards-preview screenshots bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv from the locked requirements; nothing when nothing changed

$(STAMP): pyproject.toml $(LOCK)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

up: setup ## run Muster on this machine with an embedded Postgres
	exec $(BIN)/muster up --data $(DATA) --port $(PORT)

demo: setup ## compile the standard library with real workers and show the truth about it
	MUSTER_URL=$${MUSTER_URL:-http://127.0.0.1:$(PORT)} exec $(BIN)/python -m ops.demo $(if $(NAME),--name $(NAME))

demo-night: setup ## let a bad night pass with real workers, and account for every unit
	MUSTER_URL=$${MUSTER_URL:-http://127.0.0.1:$(PORT)} exec $(BIN)/python -m ops.demo.night $(if $(NAME),--name $(NAME))

test: export PYTHONDONTWRITEBYTECODE := # compiled once, not in every process of the tests
test: setup ## all tests on PostgreSQL 18, then those with a database on Debian's 15
	MUSTER_TEST_POSTGRES=18 $(BIN)/pytest $(SIDE_BY_SIDE)
	MUSTER_TEST_POSTGRES=15 $(BIN)/pytest $(SIDE_BY_SIDE) tests/contract tests/integration tests/faults $(addprefix --ignore tests/integration/,$(ONCE))

check: setup ## format, lint, types, layers, generated files fresh
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	set -e; for script in ops/generate/*.py; do $(BIN)/python "$$script" --check; done

fmt: setup ## format, and mend what ruff can
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

generate: setup ## write every generated file anew
	set -e; for script in ops/generate/*.py; do $(BIN)/python "$$script"; done

dashboards-preview: setup ## draw the dashboards into ops/pictures from the Prometheus at MUSTER_PROMETHEUS
	exec $(BIN)/python -m grafana.preview $(PREVIEW)

screenshots: setup ## take the pictures of the cockpit into ops/pictures; needs Debian's chromium
	exec $(BIN)/python -m ops.cockpit

rules: setup ## check the alert rules and run their tests
	promtool check rules ops/prometheus/muster.*.yml
	$(BIN)/pytest tests/rules

rules-mutate: setup ## break every rule a little and see that its tests notice; fails under 95 %
	exec $(BIN)/python -m ops.rules.mutate

observe: setup ## watch `make up` with Prometheus and Alertmanager; WORDS=--help shows the options
	exec $(BIN)/python -m ops.observe --target 127.0.0.1:$(PORT) $(WORDS)

prove-numbers: setup ## hold every number of a running Muster against the log: /metrics, OTLP, API, SQL
	exec $(BIN)/python -m ops.prove --url http://127.0.0.1:$(PORT) --data $(DATA)

verify: setup ## check the invariants of the log and the state in DATA
	exec $(BIN)/muster verify --data $(DATA)

bench: setup ## measure the ratios of the Writer, the road over REST and the rebuild; ONLY=name for one
	exec $(BIN)/python -m ops.bench $(addprefix --only ,$(ONLY))

lock: ## resolve the dependencies anew, with hashes and without any index address
	tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; \
	$(PYTHON) -m venv "$$tools"; "$$tools/bin/pip" install --quiet uv; \
	"$$tools/bin/uv" pip compile pyproject.toml --all-extras --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-emit-index-url --no-header --no-annotate --quiet --output-file $(LOCK)

clean: ## remove the environment and the caches; the data folder stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
