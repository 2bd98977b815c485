# make help lists what can be asked for.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# Static binaries that hold no path of this machine.
export CGO_ENABLED = 0
GOBUILD = go build -trimpath -buildvcs=false

TESTFLAGS ?=
FUZZTIME ?= 30s
FUZZ ?= .
# Packages where goroutines meet. They run a second time under the race detector; the list leaves out what would
# compile a database for it.
RACE ?= $(wildcard internal/crypt internal/redact internal/runner internal/audit internal/barrier)
EXE := $(shell go env GOEXE)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/zvault: static, stamped, reproducible
	@$(GOBUILD) -ldflags "$$(scripts/ldflags.sh)" -o bin/zvault$(EXE) ./cmd/zvault

.PHONY: demo
demo: build ## do the main job on a sample project, and prove it
	@scripts/demo.sh

.PHONY: test
test: test-deps ## install what the tests need and run all of them
	go test -timeout 15m $(TESTFLAGS) ./...
	CGO_ENABLED=1 go test -race -timeout 15m $(TESTFLAGS) $(addprefix ./,$(addsuffix /...,$(RACE)))

.PHONY: test-deps
test-deps: ## install what the tests need, nothing else
	@scripts/test-deps.sh

.PHONY: soak
soak: test-deps ## the tests with the counts of a long run: hours
	ZVAULT_SOAK=1 go test -timeout 6h -count=1 $(TESTFLAGS) ./...

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (30s); FUZZ=regexp picks some
	@scripts/fuzz.sh "$(FUZZTIME)" '$(FUZZ)'

.PHONY: bench
bench: build ## time zvault beside its peers (bench/README.md)
	@bench/run.sh

.PHONY: bench-go
bench-go: ## run the Go benchmarks
	go test -run '^$$' -bench . -benchmem $(TESTFLAGS) ./...

.PHONY: lint
lint: ## golangci-lint, go vet for the other systems, shellcheck
	@scripts/lint.sh

.PHONY: licences
licences: ## write docs/licences.md anew
	GOWORK=off go mod download
	go test -count=1 -run '^TestLicences$$' ./internal/archtest -update

.PHONY: cross
cross: ## build for linux, darwin and windows on amd64 and arm64
	@scripts/cross.sh

.PHONY: reproducible
reproducible: ## build the last commit twice and compare
	@scripts/reproducible.sh

.PHONY: ci
ci: ## what continuous integration runs
	@.ci/run

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
