# One task list for people and for CI. `make demo` and `make test` set themselves up.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(BIN)/python
LOCK   := deploy/locks/dev.txt
VENDOR := cloud/web/static/vendor/.installed

.DEFAULT_GOAL := help
.PHONY: help demo demo-check demo-clean test lint types imports data unit e2e coverage mutation bench-rating bench-billing bench-edge bench-payments soak-edge soak-payments soak soak-properties soak-all bench lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

$(VENV)/.installed: $(LOCK) pyproject.toml
	@$(PYTHON) deploy/setup/check_python.py
	@echo "setup: environment from $(LOCK) (about a minute the first time)"
	@$(PYTHON) -m venv $(VENV) || { echo "setup: this Python cannot make an environment; install python3-venv"; exit 1; }
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r $(LOCK)
	@$(BIN)/pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(RUN) -m compileall -qq common edge cloud deploy tests # once here, not by every process that starts
	@touch $@

$(VENDOR): cloud/web/package.json cloud/web/package-lock.json $(VENV)/.installed
	@echo "setup: browser files from cloud/web/package-lock.json"
	@$(RUN) deploy/setup/browser_files.py
	@touch $@

demo: $(VENV)/.installed $(VENDOR) ## the whole house on embedded defaults; Ctrl-C stops it
	@$(RUN) -m tests.simulation.demo run

demo-check: $(VENV)/.installed $(VENDOR) ## the same story without a person, seeded; ends in a table and .demo/report.json
	@$(RUN) -m tests.simulation.demo check

demo-clean: $(VENV)/.installed ## forget the demo's data
	@$(RUN) -m tests.simulation.demo clean

test: $(VENV)/.installed $(VENDOR) ## everything: style, types, import rules, data, unit, end to end
	@deploy/setup/system_packages.sh
	@$(RUN) deploy/setup/suites.py lint types imports data unit e2e

lint types imports data unit e2e: $(VENV)/.installed $(VENDOR)
	@$(RUN) deploy/setup/suites.py $@

CORE := money measure tariff rating
coverage: $(VENV)/.installed ## every branch of money, measure, tariff, rating is walked by their own tests
	@$(BIN)/coverage erase
	@$(BIN)/coverage run --source=common.money,common.measure,common.tariff,common.rating -m pytest -q --timeout=120 $(CORE:%=tests/common/%) tests/common/test_told.py
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report --show-missing --fail-under=100

mutation: $(VENV)/.installed ## change the code of money, measure, tariff, rating; the tests must notice 95 % (an hour); MUTANTS="money rating.stay" for a part
	@TZ=Asia/Kathmandu HYPOTHESIS_PROFILE=mutation nice -n 19 $(RUN) deploy/setup/mutation.py $(MUTANTS)

PAST ?= 100000
bench-billing: $(VENV)/.installed ## a bill run against the raw load of its rows, journals, corrections, dashboard, a price changed six months back; HOUSEHOLDS=1000000 for a large run, PAST=n for accounts of the price
	@$(RUN) -m tests.bench.billing $(HOUSEHOLDS); run=$$?; $(RUN) -m tests.bench.billing_past $(PAST) && exit $$run

bench-rating: $(VENV)/.installed ## how fast prices are worked out; two ratios are gates
	@$(RUN) -m tests.bench.rating

bench-edge: $(VENV)/.installed ## the gateway beside a peer, bare framing and the disk; ratios are gates (five minutes)
	@mkdir -p .bench && $(RUN) -m tests.bench.edge

CYCLES  ?= 500
SECONDS ?= 0
soak-edge: $(VENV)/.installed ## kill a gateway's store at random, at write points and by power cuts; 10,000 injected faults a meter protocol; SECONDS=n ends the kills early
	@$(RUN) -m tests.edge.kill.soak --cycles $(CYCLES) --seconds $(SECONDS)
	@$(RUN) -m tests.edge.driver.campaign

PAYMENTS ?= 10000
soak-payments: $(VENV)/.installed ## 10,000 payments and refunds over all channels under faults, then every commit point; prints the table; PAYMENTS=n for fewer
	@$(RUN) -m tests.simulation.soak --payments $(PAYMENTS)
	@$(BIN)/pytest -q -p no:randomly tests/cloud/payments/test_crashes.py tests/cloud/refunds/test_crashes.py tests/cloud/reconciliation/test_crashes.py

bench-payments: $(VENV)/.installed ## notification to booked, a day of 100,000 rows, an intent: limits and ratios in one run
	@$(RUN) -m tests.bench.payments

bench: bench-rating bench-edge bench-billing bench-payments ## all benches, one after the other

SEED ?=
soak: $(VENV)/.installed ## months of an office under faults for SECONDS (a minute unless said), or SEED=n again; prints operations, faults, breaches
	@$(RUN) -m tests.simulation.soak_books $(if $(filter-out 0,$(SECONDS)),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

soak-properties: $(VENV)/.installed ## 5,000 new examples for every property (the push looks at 60, always the same); a failing one prints how to replay it
	@HYPOTHESIS_PROFILE=soak $(BIN)/pytest -q -m "hypothesis and not slow" -n 2

soak-all: soak soak-properties soak-edge soak-payments ## all soaks, one after the other

lock: ## resolve the locks again (needs uv)
	@for extra in edge cloud; do \
	  uv pip compile pyproject.toml --extra $$extra --universal --generate-hashes --no-header -q -o deploy/locks/$$extra.txt; done
	@uv pip compile pyproject.toml --extra edge --extra cloud --extra dev --universal --generate-hashes --no-header -q -o $(LOCK)

clean: ## forget the environment and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache cloud/web/static/vendor cloud/documents/fonts
