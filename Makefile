# make quickstart: a data set, a network trained on it, its results; goes on where it was stopped.
# make test: the suite, in JOBS processes. make docs: the site of the documentation. All install
# first what they need; PYTHON makes the environment VENV.
PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
RUN = $(VENV)/bin/python -m

SHAPES = data/quickstart
WORK = work_dirs/quickstart
SITE = docs/_build/html

.PHONY: quickstart install test docs lint clean

quickstart: install
	$(VENV)/bin/python tools/dataset_converters/make_shapes13.py $(SHAPES) --per-class 80
	$(VENV)/bin/python tools/train.py configs/quickstart.py --data-root $(SHAPES) --resume
	$(VENV)/bin/python tools/test.py configs/quickstart.py $(WORK)/best.pth --data-root $(SHAPES) \
		--views 1 3 5 --metrics fscore calibration --retrieval-views 24 --report \
		--show-dir $(WORK)/pictures --show-per-class 2

install: $(VENV)/.installed

# the stamp: a second call installs nothing
$(VENV)/.installed: pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --editable .[dev]
	touch $@

test: install
	$(RUN) pytest -q -n $(JOBS) --dist loadfile

docs: install
	$(RUN) sphinx -W --keep-going -q -b html docs $(SITE)
	@echo "open $(SITE)/index.html"

lint: install
	$(RUN) ruff check .
	$(RUN) ruff format --check .

clean:
	rm -rf build dist docs/_build *.egg-info .pytest_cache .ruff_cache $(VENV)
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
