# `make demo` fills holes in real photographs; `make test` checks everything. Both set up .venv first.
.PHONY: help demo test lint hooks bench site-test lab export notebooks clean-notebooks records readme docs clean
.DEFAULT_GOAL := help
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

help:
	@echo "make demo       fill holes in real photographs with every method and score them (some four minutes)"
	@echo "make test       check notebooks, library and command line (about 8 minutes)"
	@echo "make site-test  build the site and use it in Chromium (installs Chromium and node packages; about 5 minutes)"
	@echo "make lint       only the first seconds of make test: ruff, mypy, imports, notebooks"
	@echo "make hooks      check what you commit: git hooks for notebooks and code"
	@echo "make lab        open the course in JupyterLab"
	@echo "make docs       build the site into docs/_build/html (needs npm)"
	@echo "make export     write the modules from the notebooks"
	@echo "make notebooks  run every notebook at the laptop preset, store outputs and costs"
	@echo "make records    train what data/results lacks (it says first how many hours that takes)"
	@echo "make readme     write README.md from nbs/index.ipynb"
	@echo "make clean      remove .venv and everything built"

# The first run downloads PyTorch: several minutes and, on Linux, about 5 GB of disk.
.venv/core: settings.ini constraints.txt setup.py pyproject.toml
	@python=$$(for p in python3 python3.13 python3.12 python3.11; do $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done); \
	  test -n "$$python" || { echo "context-inpaint needs Python 3.11, 3.12 or 3.13: install one and run make again" >&2; exit 2; }; \
	  echo "setting up .venv with $$($$python --version): the first time takes some minutes and about 5 GB"; \
	  $$python -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@
.venv/dev: .venv/core
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[lab,dev]'
	@touch $@
.venv/docs: .venv/dev
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[docs]'
	@touch $@
.venv/site: .venv/docs
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[site]'
	@touch $@

demo: .venv/core
	$(BIN)/context-inpaint demo --out demo-out

lint: .venv/dev
	$(BIN)/ruff check
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/python tools/lessons.py --check
	$(BIN)/python tools/notebooks.py check
	$(BIN)/python tools/readme.py --check

test: lint
	$(BIN)/python -m pytest -q tests --ignore=tests/site -n 2 --dist loadfile
	IN_TEST=1 CONTEXT_INPAINT_PRESET=tiny CONTEXT_INPAINT_DEVICE=cpu $(BIN)/python -m pytest -q nbs --nbval-lax --nbval-current-env \
	  --nbval-sanitize-with tests/sanitize.cfg --nbval-cell-timeout=120 -n 2 --dist loadfile

site-test: docs .venv/site
	sh tests/site/chromium.sh
	$(BIN)/python -m pytest -q tests/site -n 2 --dist loadfile

hooks: .venv/dev
	$(BIN)/nbdev_install_hooks
	$(BIN)/pre-commit install

lab: .venv/dev
	$(BIN)/jupyter lab nbs/index.ipynb

export: .venv/dev
	$(BIN)/python tools/notebooks.py export
notebooks: export
	$(BIN)/python tools/notebooks.py run --preset tiny --no-store
	$(BIN)/python tools/notebooks.py run --preset laptop
	$(MAKE) readme
clean-notebooks: .venv/dev
	$(BIN)/python tools/notebooks.py clean
records: .venv/dev
	$(BIN)/python tools/records.py make
readme: .venv/dev
	$(BIN)/python tools/readme.py
docs/node_modules/.package-lock.json: docs/package.json docs/package-lock.json docs/.npmrc
	@command -v npm >/dev/null || { echo "make docs needs npm (it comes with Node 20 or newer): install it and run make again" >&2; exit 2; }
	cd docs && npm ci --silent
	@touch $@
docs: .venv/docs docs/node_modules/.package-lock.json
	rm -rf docs/_build/html
	$(BIN)/sphinx-build -E -W --keep-going -q -c docs -d docs/_build/doctrees nbs docs/_build/html
	$(BIN)/python docs/demo/build.py docs/_build/html/demo
	$(BIN)/python docs/check.py docs/_build/html
	@echo "built: serve it with $(BIN)/python -m http.server -d docs/_build/html"

clean:
	rm -rf .venv build dist docs/_build docs/node_modules nbs/api demo-out context_inpaint.egg-info .pytest_cache .hypothesis
