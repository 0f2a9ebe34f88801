# `make demo` and `make test` set up everything they need, also on a fresh machine.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MATCHING := build/matching-venv
LISTS ?=
BACK_END ?= auto
SCALE ?=
OPTIONS ?=

.PHONY: help demo test check bench instructions peers attack native native-check lock matching vectors interop clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): requirements/dev.txt pyproject.toml server/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tacit needs Python 3.11 or newer as $(PYTHON)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "install Debian's python3-venv first"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . -e server
	@touch $@

demo: $(STAMP) native ## run a whole recognition round on this machine; LISTS=folder for your own lists, OPTIONS="--members 5"
	@$(BIN)/python -m benchmarks.demo $(if $(LISTS),--lists "$(LISTS)") --back-end $(BACK_END) $(OPTIONS)

test: $(STAMP) native ## run all tests
	$(BIN)/python -m pytest -n auto --dist loadfile

check: $(STAMP) ## lint, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) native ## measure costs as ratios to an X25519 exchange; SCALE=large, PUBLISH=1 for RESULTS.md
	@mkdir -p build/bench
	TACIT_BENCH_SCALE=$(SCALE) $(BIN)/python -m pytest benchmarks -o python_files='bench_*.py' --benchmark-only \
	  --benchmark-disable-gc --benchmark-json=build/bench/results.json --benchmark-quiet -q -s
	$(BIN)/python -m benchmarks.parts
	$(BIN)/python -m benchmarks.timing_leak
	$(BIN)/python -m benchmarks.results $(if $(PUBLISH),--publish)

instructions: $(STAMP) native ## count instructions per element with valgrind (minutes)
	$(BIN)/python -m benchmarks.instructions

peers: $(STAMP) native ## the same sets through installable peers, in an environment of their own
	@test -x build/peers/bin/python || $(PYTHON) -m venv build/peers
	build/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@mkdir -p build/bench
	$(BIN)/python -m benchmarks.peers build/bench/peers.json
	build/peers/bin/python -m benchmarks.peers build/bench/peers.json

attack: $(STAMP) native ## run the dictionary attack on plain hashes and on the sealed index
	$(BIN)/python -m benchmarks.attack

$(MATCHING)/.installed: requirements/matching.txt
	@test -x $(MATCHING)/bin/python || $(PYTHON) -m venv $(MATCHING) || { echo "install Debian's python3-venv first"; exit 1; }
	$(MATCHING)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/matching.txt
	@touch $@

matching: $(MATCHING)/.installed ## compare matching quality with references; DATA=folder with members/, planned.csv, truth.csv
	@OMP_NUM_THREADS=1 PYTHONPATH=matcher:client_sdk:protocol $(MATCHING)/bin/python -W ignore -m benchmarks.matching $(if $(DATA),--data "$(DATA)")

vectors: $(STAMP) ## make our own test vectors anew: the same bytes, unless the protocol changed
	$(BIN)/python tests/vectors/tacit/generate.py

interop: ## install what the second reading of the protocol needs (Node 20.19 or newer)
	cd tests/interop && npm install --no-package-lock --no-audit --no-fund --ignore-scripts --silent

native: $(STAMP) ## build the optional native core where cargo and its registry are there
	@$(BIN)/python -m benchmarks.build_native

native-check: ## lint and test the native core; needs cargo with rustfmt and clippy
	cd protocol/native && cargo fmt --check
	cd protocol/native && cargo clippy --quiet --all-targets -- -D warnings
	cd protocol/native && cargo test --quiet --no-default-features
	@cd protocol/native && if command -v cargo-deny >/dev/null; then cargo deny check licenses bans sources; \
	  else echo "cargo-deny is not here: licences and sources of the native core were not checked"; fi

lock: $(STAMP) ## resolve requirements/*.in into hashed requirements/*.txt
	cd requirements && for set in dev matching bench; do \
	  ../$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate \
	    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file $$set.txt $$set.in || exit 1; done

clean: ## remove what the targets have made
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks protocol/native/target protocol/native/Cargo.lock
