# Everything starts here. Only Python 3.11 and make are needed; the rest is installed into .venv.
PY := .venv/bin/python
.PHONY: help run test check bench chaos docs screenshots tables setup setup-dev

help:
	@echo "make run     the whole portal in the foreground (PORT, HOST, SOAR_DATA, SOAR_DEMO: docs/operations.md)"
	@echo "make test    all tests, browser included"
	@echo "make check   formatting, lint, types, migrations, templates, layers, OpenAPI"
	@echo "make bench   the benchmarks"
	@echo "make chaos   the kill tests, with a storm of ten minutes (SOAR_STORM_SECONDS, SOAR_SEED: CONTRIBUTING.md)"
	@echo "make docs    the documentation as a site in build/docs"
	@echo "make screenshots   the pictures of the documentation, from the demo"

setup:
	@scripts/bootstrap

setup-dev:
	@scripts/bootstrap dev

run: setup
	@exec $(PY) manage.py up

test: setup-dev
	@scripts/browser
	@$(PY) -m pytest -n 2 --dist loadfile $(ARGS)

chaos: setup-dev
	@SOAR_STORM_SECONDS=$${SOAR_STORM_SECONDS:-600} $(PY) -m pytest tests/chaos -v -s $(ARGS)

bench: setup-dev
	@exec $(PY) -m benchmarks $(ARGS)

docs: setup-dev
	@.venv/bin/mkdocs build --config-file scripts/mkdocs.yml

tables: setup-dev
	@$(PY) scripts/connector_table.py

screenshots: setup-dev
	@scripts/browser
	@$(PY) scripts/screenshots.py

# Settings are read from a throw-away data folder, so that a check leaves nothing behind.
check: setup-dev
	@scripts/check
