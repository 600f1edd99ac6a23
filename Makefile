# Each target is one thing that a person wants; `make` lists them. What takes several steps stands in .ci/.

SHELL   := /bin/bash
GO      ?= go
NPM     ?= npm
BOURSE  := bin/bourse
VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
export GO NPM

.DEFAULT_GOAL := help
.PHONY: help run build frontends generate test soak apollo sim verify lint drill bench clean need-go need-node

help: ## this list
	@echo "Bourse: make <target>"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build what changed and run a demonstration house on http://127.0.0.1:8080 (ARGS="--listen :9090")
	@exec $(BOURSE) serve --demo $(ARGS)

build: need-go frontends ## the frontends and bin/bourse with them inside
	@$(GO) build -buildvcs=false -ldflags "-X main.version=$(VERSION)" -o $(BOURSE) ./cmd/bourse

frontends: need-node ## install packages and build the browser applications, if they changed
	@.ci/frontends

generate: need-go need-node ## write all generated code anew: gqlgen, composition, typed operations
	@.ci/generate

test: build ## every test: unit, property, integration, browser, a short kill -9 drill
	@.ci/test

soak: build ## what takes long: simulation, naive venue, random graphs, outages of a minute, 250 kills, a router for half an hour (MINUTES=10 COMMANDS=10000000 CASES=1000000 ROUTER_MINUTES=30)
	@.ci/soak

apollo: need-go need-node ## compare the router with Apollo's own packages (SETS=20000 FIRST=1: random sets of subgraphs)
	@.ci/apollo

sim: need-go ## replay one seed of the simulation, line by line (SEED=7, and perhaps STEPS=20000)
	@$(GO) test ./engine/internal/simulation -run 'TestReplay|TestSeeds' -count=1 -v -args -seed=$(or $(SEED),0) -steps=$(or $(STEPS),0)

verify: need-go need-node ## generated code is current, formatting, linters, types, architecture
	@.ci/verify

lint: need-go need-node ## verify without writing generated code anew
	@.ci/verify --no-generate

drill: build ## kill -9 under load twenty times, then every invariant (ARGS="--kills 100 --seed 7")
	@$(BOURSE) drill --kills 20 $(ARGS)

bench: build ## measure this machine, briefly: all figures of BENCHMARKS.md (ARGS="--json"; bourse bench takes them in full)
	@$(BOURSE) bench --round 3s --rounds 3 --records 200000 $(ARGS)

clean: ## remove what builds made; packages and ./.bourse, a house's data, stay
	rm -rf bin .build
	find frontends/dist -mindepth 1 ! -name .keep -delete

need-go:
	@.ci/need go

need-node:
	@.ci/need node
