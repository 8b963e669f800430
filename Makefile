# Each target is a line or three; what is longer is a script.
.DEFAULT_GOAL := help
SHELL := /bin/bash
CARGO ?= cargo
LISTEN ?= 127.0.0.1:8787

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

run: ## build and start the local mode with a demo shop
	$(CARGO) build --quiet --bin hooktide
	"$${CARGO_TARGET_DIR:-target}/debug/hooktide" serve --demo --listen $(LISTEN)

build: ## build everything
	$(CARGO) build --workspace --all-targets

check: ## format, lints, docs, licences, generated files
	scripts/stages format lints docs licences generated

test: ## install what the tests need, and run all of them
	scripts/stages needs format lints docs licences generated tests budgets

generate: ## write what is generated: docs/openapi.json, docs/providers.md, snapshots of providers
	HOOKTIDE_GENERATE=1 $(CARGO) test --quiet -p hooktide-tests --test generated

clean: ## remove what was built
	$(CARGO) clean

.PHONY: help run build check test generate clean
