# make demo   the main job on a sample volume
# make test   lint and every test
PYTHON ?= python3
VENV ?= .venv
DEMO ?=
RUN = $(VENV)/bin/python

.PHONY: demo test lint prepare-demo prepare-test

demo: prepare-demo
	$(RUN) -m DeepIGeoSLib demo $(DEMO)

test: prepare-test lint
	$(RUN) -m pytest $(PYTEST)

lint: prepare-test
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m codespell_lib

prepare-demo:
	$(PYTHON) Scripts/prepare_environment.py $(VENV) fast,plot

prepare-test:
	$(PYTHON) Scripts/prepare_environment.py $(VENV) all
