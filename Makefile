# Each target is a line or three; what is longer is a script.
.DEFAULT_GOAL := help
SHELL := /bin/bash
CARGO ?= cargo
ENV ?= default
STACK ?= hooktide
TENANT ?= default
SEED ?= 1
STEPS ?= 100000
TARGET ?= all
SECONDS ?= 60

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

run: ## build and start the local mode with a demo shop (LISTEN=127.0.0.1:8787)
	$(CARGO) build --profile demo --package hooktide
	"$${CARGO_TARGET_DIR:-target}/demo/hooktide" serve --demo $(if $(LISTEN),--listen $(LISTEN))

build: ## build everything
	$(CARGO) build --workspace --all-targets

check: ## format, lints, docs, licences, generated files
	scripts/stages format lints docs licences generated

test: ## install what the tests need, and run all of them
	scripts/stages needs format lints docs licences generated tools functions aside tests budgets joined

package: ## build the functions for Lambda into build/lambda (ARCH=x86_64 or arm64)
	scripts/package

deploy: package ## deploy them to your AWS account (ENV=default or prod; RESERVE=no reserves no concurrency)
	.venv/bin/python scripts/operate.py deploy $(ENV) $(or $(ARCH),x86_64) $(RESERVE)

invoke: ## run one function on an event: FUNCTION=receiver EVENT=events/shopify.products-update.json
	@scripts/python-tools && .venv/bin/python scripts/invoke $(FUNCTION) $(EVENT)

token: ## make an API token in a deployed stack: STACK=hooktide [TENANT=default]
	@scripts/python-tools && .venv/bin/python scripts/operate.py token $(STACK) $(TENANT)

rotate-root-key: ## add a root key to a deployed stack: STACK=hooktide
	@scripts/python-tools && .venv/bin/python scripts/operate.py rotate-root-key $(STACK)

logs: ## follow what a deployed stack logs: STACK=hooktide
	@scripts/python-tools && .venv/bin/sam logs --stack-name $(STACK) --tail

simulate: ## the spine under one seed: SEED=1 STEPS=100000
	$(CARGO) run --quiet --release -p hooktide-tests --bin simulate -- $(SEED) $(STEPS)

seasons: ## weeks of syncs in virtual time: SEED=1 DAYS=90 ITEMS=5000 EDITS=50
	$(CARGO) run --quiet --release -p hooktide-tests --bin seasons -- $(SEED) $(or $(DAYS),90) $(or $(ITEMS),5000) $(or $(EDITS),50)

agenda: ## weeks of calendars that block each other, in virtual time: SEED=1 DAYS=90; KIND=reference measures reads and delays
	$(CARGO) run --quiet --release -p hooktide-tests --bin agenda -- $(KIND) $(or $(SEED),1) $(or $(DAYS),90)

fuzz: ## fuzz a provider, the HTTP edge, calendars, or all in turn: TARGET=shopify SECONDS=60
	scripts/fuzz $(TARGET) $(SECONDS)

bench: ## measure, as ratios in one run
	scripts/bench

generate: ## write what is generated: the API's description, tables, sample events
	HOOKTIDE_GENERATE=1 $(CARGO) test --quiet -p hooktide-tests --test generated

clean: ## remove what was built
	$(CARGO) clean

.PHONY: help run build check test package deploy invoke token rotate-root-key logs simulate seasons agenda fuzz bench generate clean
