# Everything a developer or an operator trying the product types. Needs Python >= 3.11 (with venv and
# pip), GNU make, and PyPI or a mirror of it; everything else is installed into .venv, exact versions.

.DEFAULT_GOAL := help
.PHONY: help install check lint typecheck check-proto check-lock check-imports test coverage bench demo proto release-protos lock format clean

# The first that is new enough. `make PYTHON=/path/to/python ...` overrides.
PYTHON ?= $(shell for candidate in python3.13 python3.12 python3.11 python3 python3.14; do \
	if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then command -v $$candidate; break; fi; done)

BIN := .venv/bin
PIP_INSTALL := -m pip --disable-pip-version-check install -qq --no-input --progress-bar off

# usage: $(call make_venv,FOLDER,LOCK)
# The lock is complete, so pip need not resolve; --require-hashes refuses any other bytes. Compiling
# on all cores afterwards is quicker than pip's compiling on one.
define make_venv
	@if [ -z "$(PYTHON)" ]; then \
		echo "No Python >= 3.11 found. Install one, or say which: make PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is not a Python >= 3.11. Say which to use: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "installing $(2) into $(1)" >&2
	@$(1)/bin/python -c '' 2>/dev/null || "$(PYTHON)" -m venv --clear $(1) || { \
		echo "Python's venv module is missing or broken (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@$(1)/bin/python $(PIP_INSTALL) --no-deps --no-compile --require-hashes -r $(2)
	@$(1)/bin/python -m compileall -q -j 0 $(1)/lib || echo "not all of $(1) is compiled ahead; it will only start slower" >&2
endef

help: ## this list
	@echo "usage: make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1 \2/p' Makefile | \
		while read -r name text; do printf '  %-16s%s\n' "$$name" "$$text"; done

install: .venv/.installed ## install exact, locked versions and this project into .venv
	@echo "installed; try: make demo"

.venv/.installed: requirements/dev.lock pyproject.toml
	$(call make_venv,.venv,requirements/dev.lock)
	@$(BIN)/python $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv-tools/.installed: requirements/tools.lock
	$(call make_venv,.venv-tools,requirements/tools.lock)
	@touch $@

demo: .venv/.installed ## run the demonstration; INDICATORS="a.txt b.txt" feeds it files, ARGS= the rest
	@$(BIN)/rogatory-gateway demo $(if $(INDICATORS),$(foreach file,$(INDICATORS),--indicators "$(file)")) $(ARGS)

test: .venv/.installed ## run the tests; ARGS="-k name" picks some
	$(BIN)/python -m pytest $(ARGS)

coverage: .venv/.installed ## run the tests and show which branches they did not take
	$(BIN)/python -m pytest --cov --cov-report=term $(ARGS)

bench: .venv/.installed ## measure throughput and memory: one JSON object on stdout
	@$(BIN)/python -m tests.bench $(ARGS)

check: lint typecheck check-lock check-proto check-imports ## everything that reads the code without running it

lint: .venv/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check

typecheck: .venv/.installed
	$(BIN)/mypy

check-lock: .venv/.installed
	$(BIN)/python -m pip --disable-pip-version-check check
	$(BIN)/python .ci/check_lock.py

# Breaking changes are judged against the contract last released, protos/released.binpb, and not
# against a git reference: the answer is then the same in a shallow clone, a tarball and a work tree.
BUF_IMAGE := $(BIN)/buf build protos --path protos/rogatory
BUF_BREAKING := $(BIN)/buf breaking - --config protos/buf.yaml --exclude-imports --against protos/released.binpb

check-proto: .venv/.installed .venv-tools/.installed
	$(BIN)/buf lint protos
	$(BIN)/buf format --diff --exit-code protos --path protos/rogatory
	@if [ -f protos/released.binpb ]; then echo "$(BUF_BREAKING)"; $(BUF_IMAGE) --output - | $(BUF_BREAKING); \
		else echo "no protos/released.binpb: nothing has been released that could break"; fi
	.venv-tools/bin/python .ci/generate_protos.py --check

check-imports: .venv/.installed
	$(BIN)/python -m pytest -q tests/contract/test_imports.py

proto: .venv-tools/.installed ## regenerate the Python stubs from protos/
	.venv-tools/bin/python .ci/generate_protos.py

release-protos: .venv/.installed ## make today's protos the contract that may no longer break
	@if [ -f protos/released.binpb ]; then $(BUF_IMAGE) --output - | $(BUF_BREAKING); fi
	$(BUF_IMAGE) --exclude-source-info --output protos/released.binpb

lock: .venv-tools/.installed ## lock the newest versions that pyproject.toml permits
	.venv-tools/bin/uv pip compile --quiet --no-config --upgrade --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --all-extras --output-file requirements/dev.lock pyproject.toml
	.venv-tools/bin/uv pip compile --quiet --no-config --upgrade --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --output-file requirements/tools.lock requirements/tools.in

format: .venv/.installed ## format code and protos, fix what can be fixed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/buf format --write protos --path protos/rogatory

clean: ## remove everything that make and its targets made
	rm -rf .venv .venv-tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov dist build
	find clients gateway tests .ci -name __pycache__ -type d -prune -exec rm -rf {} +
