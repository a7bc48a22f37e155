# Two commands are all that a new machine needs: make demo, make test.
# They need git, make and any Python from 3.10 on; requirements/install makes the rest.

PYTHON := .venv/bin/python
BIN := .venv/bin

# Where this is set, as in some containers, every start of a tool compiles the tool anew: half of what SAM and checkov take.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup browser ready demo test lint types contracts template unit cli verify load bench slack build layer sbom queries format requirements clean

help: ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 22

setup: ## the three virtual environments, .venv, .venv-sam and .venv-checkov
	@./requirements/install

browser: # what the tests of the report's page need beside the environments
	@./requirements/browser

demo: setup ## collect a backlog and live events on an AWS and a Slack of this machine, and prove it
	@$(PYTHON) -m local.demo $(ARGS)

# mypy takes a minute of one core: it runs beside the tests, and what it says comes after what they say.
test: ready ## everything: lint, types, import contracts, template checks, all test suites
	@$(MAKE) --no-print-directory lint contracts
	@said=$$(mktemp); $(BIN)/mypy >"$$said" 2>&1 & types=$$!; \
	$(PYTHON) -m pytest -n auto --dist loadfile --no-loadscope-reorder --cov --cov-report=term; tests=$$?; \
	wait $$types; types=$$?; echo "mypy:"; cat "$$said"; rm -f "$$said"; exit $$((tests | types))

ready: # both wait for the network most of the time
	@$(MAKE) --no-print-directory --jobs=2 setup browser

lint: setup ## style and formatting
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup ## mypy, strict
	@$(BIN)/mypy

contracts: setup ## who may import whom
	@PYTHONPATH=layers/collector:functions:cli $(BIN)/lint-imports --no-logo

template: setup ## what the template promises: cfn-lint, sam validate, checkov, cfn-guard, every promise as data
	@$(PYTHON) -m pytest -q tests/template

unit: setup ## the fast tests only
	@$(PYTHON) -m pytest -q -n auto tests/unit tests/property tests/faults

cli: setup ## the command slack-audit, ready to use; make cli ARGS="status --stack NAME"
	@$(BIN)/slack-audit $(or $(ARGS),--help)
	@$(if $(ARGS),,echo; echo "It is $(BIN)/slack-audit. As a command of your own: pip install . (docs/cli.md)")

verify: setup ## prove an archive; make verify ARGS="--bucket NAME --since 2d", or ARGS=--help
	@$(BIN)/slack-audit verify $(ARGS)

load: setup ## a simulated day under load, and its picture; make load ARGS="--hours 1 --rate 100"
	@$(PYTHON) -m benchmarks.load $(ARGS)

bench: setup ## what the collector costs, beside the bare loop and its peers; make bench ARGS="--only drain", or ARGS=--help
	@./requirements/peers
	@$(PYTHON) -m benchmarks.performance $(ARGS)

slack: setup ## the stand-in for Slack alone; make slack ARGS=--help
	@$(PYTHON) -m local.slack $(ARGS)

build: setup ## sam build, for this machine's architecture
	@$(PYTHON) -m local.deploy build

layer: setup ## zips of the layer and the functions, always the same, with their digests; make layer ARGS=--help
	@$(PYTHON) -m local.package $(ARGS)

sbom: layer ## the layer's bill of materials, CycloneDX: .aws-sam/<architecture>/package/sbom.cdx.json

queries: setup ## analytics.yaml's views and named queries, from cli/slack_audit_cli/sql
	@$(PYTHON) -m local.queries $(ARGS)

format: setup ## format and sort imports
	@$(BIN)/ruff check --fix-only . && $(BIN)/ruff format .

requirements: setup ## resolve the *.in files into pinned, hashed *.txt files
	@for name in layers/collector/requirements requirements/dev requirements/sam requirements/checkov requirements/guard requirements/peers; do \
		case $$name in */guard) deps=--no-deps ;; *) deps= ;; esac; \
		$$(command -v uv || echo .tools/bin/uv) pip compile --quiet --upgrade --generate-hashes --universal $$deps \
			--python-version 3.13 --custom-compile-command "make requirements" $$name.in --output-file $$name.txt; \
	done

clean: ## remove what the other targets made
	@rm -rf .venv .venv-sam .venv-checkov .venv-peers .tools .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* build *.egg-info
