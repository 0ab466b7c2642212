# Everything a person does with mysimbdp from a clone. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
HOME_DIR = $${MYSIMBDP_HOME:-$(CURDIR)/.onebox}

.PHONY: help venv venv-dev run stop clean test test-fast test-long lint lock

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

venv: ## .venv from requirements.txt (skipped when it is up to date)
	@scripts/venv

venv-dev: ## the same, plus what the tests need
	@scripts/venv dev

run: venv ## start everything and do the main job on two sample tenants
	@.venv/bin/mysimbdp run

stop: ## stop everything; data stays
	@if [ -x .venv/bin/mysimbdp ]; then .venv/bin/mysimbdp down; fi

clean: stop ## stop everything and remove its data (jars and .venv stay)
	@for home in "$(HOME_DIR)" "$(CURDIR)/.onebox-test"; do \
	  if [ -f "$$home/secrets.json" ]; then \
	    if [ "$$home" = "$(CURDIR)/.onebox-test" ]; then MYSIMBDP_HOME="$$home" .venv/bin/mysimbdp down; fi; \
	    rm -rf -- "$$home"; echo "removed $$home"; \
	  fi; \
	done

test: venv-dev ## the whole suite, against real services of its own
	@.venv/bin/python -m pytest

test-long: venv-dev ## the crash tests with 120 random kills, and a cluster of three nodes
	@MYSIMBDP_TEST_KILLS=120 .venv/bin/python -m pytest -m "" tests/crash tests/cluster

test-fast: venv-dev ## the tests that need no service
	@.venv/bin/python -m pytest -m "not onebox and not long" -q

lint: venv-dev ## ruff and mypy
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy plugins/mysimbdp

lock: ## requirements*.txt from requirements*.in (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv on PATH"; exit 1; }
	@for name in requirements requirements-dev; do \
	  uv pip compile --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --custom-compile-command 'make lock' -q $$name.in -o $$name.txt; \
	done

.PHONY: env
env: ## .env with generated passwords for `docker compose up` (kept when it is there)
	@python3 deploy/make_env.py
