# LetsTrade. `make run` starts the desk, `make test` proves it. Needs Python >= 3.11, git, make.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-mock strangers lint bench chaos acts fuzz down venv dev lock doctor screenshots release

run: venv ## the desk in the foreground; Ctrl-C stops everything
	@$(BIN)/python -m console.cli setup
	@echo "시작합니다. 멈추려면 Ctrl-C (starting; Ctrl-C stops everything)"
	@exec $(BIN)/supervisord -n -c supervisord.conf

venv: $(VENV)/.installed

$(VENV)/.installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 이상이 필요합니다 (Python >= 3.11 needed; try PYTHON=python3.12 make run)"; exit 1; }
	@echo "가상환경을 준비합니다 (preparing .venv; a few minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar on -r requirements.txt
	@$(BIN)/python -m bots.backtest.native || true  # where no library is shipped: built if there is a compiler, else replay
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -OO -X no_debug_ranges -c "import bots.__main__, brokers.kis.adapter, brokers.ls.adapter, sqlalchemy.dialects.sqlite, sqlalchemy.dialects.postgresql, cryptography.hazmat.backends.openssl.backend, encodings.idna, _strptime"  # bots start compiled: compiling costs a first start 2 MB
	@touch $@

dev: venv $(VENV)/.dev

$(VENV)/.dev: requirements-dev.txt
	@echo "시험 도구를 설치합니다 (installing what tests need)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar on -r requirements-dev.txt
	@touch $@

test: dev ## everything that can run here; the last line names what was skipped and why
	@$(BIN)/python -m pytest -n 3 --dist loadgroup --no-loadscope-reorder

test-mock: dev ## one order's life at the brokers' own 모의투자 hosts; needs KIS_* or LS_* keys
	@$(BIN)/python -m pytest -m mock_hosts tests/mock_hosts -rs

strangers: dev ## other people's clients against our exchange; fetched into var/, never committed
	@$(BIN)/python -m tests.strangers --page

lint: dev
	@$(BIN)/pre-commit run --all-files

bench: dev ## figures beside a floor or a peer measured in the same run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt || echo "peers are missing: their ratios are left out"
	@$(BIN)/python -m bench

chaos: dev ## the order path under every fault, in pieces; writes docs/scoreboard.md (more than an hour)
	@$(BIN)/python -m tests.chaos

down: ## stop a desk that runs elsewhere
	@$(BIN)/python -m bots.supervision down

doctor: venv
	@$(BIN)/python -m console.cli doctor

lock: dev ## write requirements*.txt from requirements*.in
	@$(BIN)/python -m piptools compile -q --strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements.txt requirements.in
	@$(BIN)/python -m piptools compile -q --strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements-dev.txt requirements-dev.in

screenshots: dev ## the pictures of docs/screenshots, from a prepared desk in a real browser
	@$(BIN)/python tools/screenshots.py

acts: dev ## every page's act in a real browser, those too that `make test` leaves out for their time
	@$(BIN)/python -m pytest -m "chromium or soak" tests/console/test_acts_browser.py

fuzz: dev ## schemathesis against a running console with our own OpenAPI description
	@$(BIN)/python -m pytest -m soak tests/console/api/test_fuzz.py -rs

release: ## the version of pyproject.toml and CHANGELOG.md as an annotated tag; pushes nothing
	@$(PYTHON) tools/release.py
