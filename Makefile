# GateSvr. `make` lists the targets. Needs Node 20.11 or newer, npm and make. Some targets use more, and say so
# in their line below: python3, Chromium, spin and gcc, docker.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

GATESVR := node dist/cli/main.js
JEST := node --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js --ci
CONFIG ?= test-config.yaml
IMAGE ?= gatesvr
FUZZ_LONG_RUNS ?= 100000
# For `make chaos`: how many seeds, how long each, how many at a time; SEED replays one, ONLY takes lone,
# sessions, pair, degrade or refuse.
SEEDS ?= 20
MINUTES ?= 3
PARALLEL ?= 1
SEED ?=
ONLY ?=

# npm writes this file at the end of every install, so it tells when the last one was.
INSTALLED := node_modules/.package-lock.json
NPM_INSTALL := npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
# Where the home folder cannot be written to, npm needs another place for its cache.
ifeq ($(shell [ -w "$${HOME:-/nowhere}" ] || echo no),no)
export npm_config_cache := $(CURDIR)/node_modules/.npm-cache
endif
CODECS := src/wire/generated/messages.js
BUILT := dist/.built
PROTOS := $(wildcard proto/*.proto) proto/generate.mjs
SOURCES := $(shell find src -name '*.ts' -o -name '*.mjs' -o -path 'src/playground/*' -type f -o -path 'src/console/*' -type f 2>/dev/null)

.PHONY: help
help: ## list the targets
	@echo 'usage: make TARGET'
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## --- preparing ---

.PHONY: setup tools deps proto certs
setup: tools deps proto certs ## everything a fresh clone needs before `make run`

tools: ## say which tools are here and which are missing
	@node -e 'const v=process.versions.node, [a,b]=v.split(".").map(Number); if (a < 20 || (a === 20 && b < 11)) { console.error(`node $${v} is too old: install Node 20.11 or newer (24 is recommended)`); process.exit(1); } console.log(`node $${v}`)'
	@echo "npm $$(npm --version)"
	@command -v docker >/dev/null && echo 'docker found' || echo 'docker missing: only `make docker` needs it'
	@command -v python3 >/dev/null && echo 'python3 found' || echo 'python3 missing: only `make interop` and `make api-fuzz` need it'

# `npm prune` writes that file, too: without the compiler, what was installed is not what a build needs.
ifeq ($(wildcard node_modules/typescript/package.json),)
.PHONY: pruned
$(INSTALLED): pruned
endif

deps: $(INSTALLED) ## install what package-lock.json names (again only when it changed)
# Not `npm ci`: it wants the optional packages of every platform in the lock, which pins those of
# this one. No package needs its install script: the native ones ship prebuilt.
# A registry may fail for a while: it is asked again.
$(INSTALLED): package-lock.json
	$(NPM_INSTALL) || { sleep 10; $(NPM_INSTALL); } || { sleep 30; $(NPM_INSTALL); }
	@touch $@

proto: $(CODECS) ## generate the protobuf codecs from proto/
$(CODECS): $(PROTOS) $(INSTALLED)
	node proto/generate.mjs
	@touch $@

certs: certs/server.crt ## make a development CA and server certificate in certs/
certs/server.crt:
	@$(MAKE) $(BUILT)
	$(GATESVR) certs

## --- building and running ---

.PHONY: build stage build-all run run-config demo demo-failover
build: $(BUILT) ## compile to dist/
$(BUILT): $(CODECS) $(SOURCES) tsconfig.json
	npm run -s build
	@touch $@

stage: build ## what a server needs, without development packages, in stage/ (deploy/README.md)
	rm -rf stage && mkdir stage
	cp -r dist proto node_modules package.json package-lock.json stage/
	cd stage && npm prune --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error && rm -rf node_modules/.npm-cache

build-all: build ## compile, and write docs/CONFIGURATION.md, docs/METRICS.md and docs/openapi.json from the sources
	npm run -s docs

run: build ## run the gateway with its defaults
	$(GATESVR) serve

run-config: build ## run the gateway with CONFIG (test-config.yaml)
	$(GATESVR) serve --config $(CONFIG)

demo: build ## gateway, six upstreams and clients: watch a deployment work
	$(GATESVR) demo

demo-failover: build ## a primary and its standby under load: kill -9, return, planned switch
	$(GATESVR) demo --failover

## --- testing ---

.PHONY: test test-cover test-long test-node24 chaos interop browser api-fuzz api-fuzz-short model model-long bench bench-quick lint vet fmt
test: export GATESVR_SKIPPED = $(CURDIR)/dist/.skipped
test: ## all that CI checks: lint, types, build, interop, every test
	@mkdir -p $(dir $(GATESVR_SKIPPED)) && : >$(GATESVR_SKIPPED)
	@$(MAKE) --no-print-directory -j 5 interop-packages api-fuzz-packages jest sources format
	@if [ -s $(GATESVR_SKIPPED) ]; then echo 'not tried on this machine:'; sed 's/^/  /' $(GATESVR_SKIPPED); fi

# The parts of `make test`. No core shall wait: packages from PyPI come while npm installs its own, and the
# sources are looked over with what everything else leaves of the processor - niced, for tests have clocks.
.PHONY: jest sources format interop-packages api-fuzz-packages
# Not beside the suites in Python, which wait for their gateway with clocks of their own.
jest: build browser interop api-fuzz-short
	@MAKEFLAGS= node test/run-jest.mjs

sources: proto
	@nice -n 19 node test/check-sources.mjs

format: proto
	@nice -n 19 node_modules/.bin/prettier --check --log-level warn .

interop-packages api-fuzz-packages:
	@test/$(@:-packages=)/run.sh packages

test-cover: build ## the tests, with a coverage report in coverage/
	$(JEST) --coverage

test-long: proto ## the fuzz tests in their long form (100,000 cases per decoder)
	FUZZ_RUNS=$(FUZZ_LONG_RUNS) $(JEST) --testTimeout=1800000 test/fuzz

test-node24: build ## the tests on Node 24, taken from the npm registry
	npx -y -p node@24 -- sh -c 'node --version && $(JEST)'

chaos: build ## gateways under seeded faults, every promise checked (SEEDS=20 MINUTES=3 PARALLEL=1; SEED=7 replays)
	@SEED=$(SEED) SEEDS=$(SEEDS) MINUTES=$(MINUTES) PARALLEL=$(PARALLEL) ONLY=$(ONLY) node test/chaos/play-seeds.mjs

interop: build interop-packages ## the tests against independent QUIC and gRPC stacks (needs python3)
	@if [ -x test/interop/run.sh ]; then test/interop/run.sh; fi

browser: ## install Chromium for the tests in test/browser, where it is missing
	@test/browser/install.sh

api-fuzz-short: build api-fuzz-packages
	@test/api-fuzz/run.sh short

api-fuzz: build ## the operators' API against its OpenAPI document, with schemathesis (needs python3)
	@test/api-fuzz/run.sh

model: ## explore the model of failover completely (spin and gcc, from Debian's packages; minutes)
	docs/models/check.sh

model-long: ## the same with more faults together (half an hour, 3 GiB)
	docs/models/check.sh long

bench: build ## measure everything in 10 minutes; PEER=FOLDER of the lean Go gateway to compare with it
	node dist/bench/suite/main.js $(if $(PEER),--peer $(PEER))

bench-quick: build ## the same in about a minute: prints figures, writes nothing
	node dist/bench/suite/main.js --quick $(if $(PEER),--peer $(PEER))

lint: proto ## eslint and prettier
	npm run -s lint

vet: proto ## check the types of sources and tests
	npm run -s typecheck

fmt: deps ## format everything
	npm run -s fmt

## --- images and cleaning ---

.PHONY: docker docker-run clean clean-bench
docker: ## build the container image
	docker build -t $(IMAGE) .

docker-run: ## run the container image, its state and certificates in a volume
	docker run --rm -it --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
	  -v gatesvr-state:/var/lib/gatesvr --stop-timeout 60 \
	  -p 8453:8453/udp -p 8453:8453/tcp -p 127.0.0.1:8080:8080 -p 127.0.0.1:8092:8092 -p 127.0.0.1:9090:9090 $(IMAGE)

clean: ## remove what was built (node_modules, certs and bench-results stay)
	rm -rf dist stage coverage src/wire/generated

clean-bench: ## remove bench-results/, what `make bench` measured
	rm -rf bench-results
