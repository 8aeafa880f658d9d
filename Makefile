# make test: all that a new checkout needs, then the suite. PYTHON makes the environment VENV.
PYTHON ?= python3
VENV ?= .venv
RUN = $(VENV)/bin/python -m

.PHONY: install test lint clean

install: $(VENV)/.installed

# the stamp: a second call installs nothing
$(VENV)/.installed: pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --editable .[dev]
	touch $@

test: install
	$(RUN) pytest -q

lint: install
	$(RUN) ruff check .
	$(RUN) ruff format --check .

clean:
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache $(VENV)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
