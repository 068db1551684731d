# make demo   the main job on a real case and on a computed head; DEMO="..." for another one
# make web    the interactive tool in a browser, with a real case; WEB="..." for your own image
# make test   lint and every test
# make docs   the documentation as web pages, in build/documentation
PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin/python

.PHONY: demo web docs test test-interactive test-library test-slicer-5.13 test-numba coverage lint prepare-demo prepare-web prepare-docs prepare-test

demo: prepare-demo
ifdef DEMO
	$(RUN) -m DeepIGeoSLib demo $(DEMO)
else
	mkdir -p demo-output
	$(RUN) -m DeepIGeoSLib demo -o demo-output/hippocampus
	$(RUN) -m DeepIGeoSLib demo --phantom -o demo-output/head
endif

web: prepare-web
	$(RUN) -m DeepIGeoSLib web $(if $(WEB),$(WEB),--demo)

# Two processes, because most tests keep one core busy; one for what PYTEST chooses, such as "-k undo".
test: prepare-test lint
ifdef PYTEST
	$(RUN) -m pytest $(PYTEST)
else
	$(MAKE) --jobs=2 test-interactive test-library
endif

INTERACTIVE = $(addprefix Testing/Python/,web module scene worklist)

test-interactive:
	$(RUN) -m pytest $(INTERACTIVE)

test-library:
	$(RUN) -m pytest $(addprefix --ignore=,$(INTERACTIVE))

# The same scene and module tests on the newest slicer-core, in an environment of its own.
test-slicer-5.13:
	$(PYTHON) Scripts/prepare_environment.py $(VENV)-slicer-5.13 fast,batch,report,test \
		slicer-core==5.13.31053.0 vtk==9.6.2
	$(VENV)-slicer-5.13/bin/python -m pytest Testing/Python/scene Testing/Python/module

docs: prepare-docs
	NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --strict --quiet

# The distance maps on the newest numba, beyond the bound of pyproject.toml, in an environment of its own.
test-numba:
	$(PYTHON) Scripts/prepare_environment.py $(VENV)-numba test numba llvmlite
	$(VENV)-numba/bin/python -m pytest Testing/Python/geodesic

lint: prepare-test
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m codespell_lib
	$(VENV)/bin/lint-imports --no-logo
	$(RUN) -m ty check

# Which lines and branches the tests run, as pages in build/coverage; nothing depends on the share.
coverage: prepare-test
	mkdir -p build/coverage
	$(RUN) -m coverage run -m pytest -m "not slow" $(PYTEST)
	$(RUN) -m coverage combine --quiet
	$(RUN) -m coverage html --quiet --directory build/coverage/pages
	$(RUN) -m coverage report

prepare-demo:
	$(PYTHON) Scripts/prepare_environment.py $(VENV) fast,plot,samples

prepare-web:
	$(PYTHON) Scripts/prepare_environment.py $(VENV) fast,web

prepare-docs:
	$(PYTHON) Scripts/prepare_environment.py $(VENV) docs

prepare-test:
	$(PYTHON) Scripts/prepare_environment.py $(VENV) all
