# make demo | test | test-distributed | soak | lint | docs | bench-quick: each creates the virtual environment it needs.
PYTHON ?= python3
VENV   ?= .venv
# The versions to install.
CONSTRAINTS ?= constraints.txt
# More options of `make docs`: SPHINXOPTS="-D plot_gallery=0" does not run the examples.
SPHINXOPTS ?=
BIN     = $(VENV)/bin
PIP     = $(BIN)/python -m pip --disable-pip-version-check
# The targets differ in their extras; a stamp file records which are installed.
EXTRAS_demo = bundled,test
EXTRAS_test = bundled,test
EXTRAS_test-distributed = bundled,test,dask,ray,spark
EXTRAS_lint = bundled,lint,test
EXTRAS_docs = bundled,docs
EXTRAS_bench = bundled,bench

.PHONY: help demo test test-distributed soak lint docs bench-quick clean
help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.%-installed: pyproject.toml $(CONSTRAINTS) | $(BIN)/python
	$(PIP) install --quiet --constraint $(CONSTRAINTS) "setuptools>=77" ".[$(EXTRAS_$*)]"
	touch $@

# Only install. Two installations at a time would disturb each other.
install-%: $(VENV)/.%-installed ;

# Test the installed package, never the source tree.
.PHONY: package
package: | $(BIN)/python
	rm -rf build
	$(PIP) install --quiet --no-deps --no-build-isolation --force-reinstall .

demo: $(VENV)/.demo-installed package ## run the main job on real text
	$(BIN)/python examples/demo.py

test: $(VENV)/.test-installed package ## run the tests, in one process per core
	$(BIN)/pytest -n auto --dist worksteal

test-distributed: $(VENV)/.test-distributed-installed package ## test on clusters of Dask, Ray and Spark, and in several ranks
	$(BIN)/pytest -m distributed

soak: $(VENV)/.test-installed package ## try faults in large numbers, and print a table
	$(BIN)/pytest tests/reliability --soak -n auto --dist worksteal

lint: $(VENV)/.lint-installed package ## ruff, mypy, spelling, wording, docstrings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell sklearn_bert tests examples docs benchmarks README.md CHANGELOG.md CONTRIBUTING.md
	$(BIN)/python docs/check_english.py
	$(BIN)/mypy
	@# `make test` runs the examples of the docstrings.
	$(BIN)/pytest -q tests/test_docstrings.py -k "not examples_run"

docs: $(VENV)/.docs-installed package ## build the documentation, warnings and dead links as errors
	$(BIN)/sphinx-build -W --keep-going $(SPHINXOPTS) -b html docs docs/_build/html
	$(BIN)/python docs/check_links.py docs/_build/html

bench-quick: $(VENV)/.bench-installed ## compare the speed with the published ratios, in five minutes
	$(BIN)/python -m benchmarks.quick

clean: ## remove the virtual environment and all build products
	rm -rf $(VENV) build dist *.egg-info docs/_build docs/auto_examples docs/generated
