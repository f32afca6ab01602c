# What one does with this project. `make help` lists it.

.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

# On CI a lock file that does not match the manifests is an error, not something to repair.
LOCKED := $(if $(filter true,$(CI)),--locked)
# CI builds once: what only helps the next build would be twice the disk of the build itself.
ifeq ($(CI),true)
export CARGO_INCREMENTAL := 0
endif
TARGET := $(or $(CARGO_TARGET_DIR),target)
# The tests that compare, or write, what is made from the code.
GENERATING := --test envoy --test generated --test transcripts --test translate
# Seconds that each fuzz target runs.
FUZZ_SECONDS ?= 10

# The filter in its two forms: embedded in the command line tool, and loaded by the tests.
export SLUICE_WASM := $(abspath $(TARGET)/wasm32-wasip1/wasm/sluice_filter.wasm)
export SLUICE_MODULE := $(abspath $(TARGET)/module/libsluice.so)

# ENVOY_IMAGE=IMAGE: Envoy from a container image instead of a binary, where docker is.
ifdef ENVOY_IMAGE
export ENVOY_IMAGE
export ENVOY := $(abspath scripts/envoy-image.sh)
endif

##@ Use

.PHONY: build
build: ## Build the filter and the command line tool: target/release/sluice
	@scripts/setup.sh rust
	cargo build $(LOCKED) -p sluice-filter --target wasm32-wasip1 --profile wasm
	cargo build $(LOCKED) -p sluice-module --profile module
	cargo build $(LOCKED) -p sluice --release

.PHONY: component
component: ## Build the translations as a WebAssembly component, for hosts of any language
	@scripts/setup.sh component
	cargo build $(LOCKED) -p sluice-component --target wasm32-wasip2 --profile wasm

.PHONY: run
run: build ## Start the gateway (CONFIG=my.yaml; without: your keys, else mock providers)
	@exec scripts/run.sh $(CONFIG)

##@ Test

.PHONY: test
test: ## Everything that this machine can check
	@scripts/test.sh setup check build unit unit-release wasm-tests component-tests scenarios hardening sdk limits observability soak fuzz

.PHONY: setup
setup: ## Install what the tests need into the project
	@scripts/setup.sh rust envoy sdk limits observability check wasm-tests component

.PHONY: check
check: ## Formatting, lints, documentation, dependencies, scripts
	@scripts/setup.sh rust check component
	cargo fmt --all --check
	.venv/bin/shellcheck scripts/*.sh .ci/run
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	cargo clippy $(LOCKED) --workspace --all-targets -- -D warnings
	cargo clippy $(LOCKED) -p sluice-filter --target wasm32-wasip1 -- -D warnings
	cargo metadata $(LOCKED) --format-version 1 --manifest-path fuzz/Cargo.toml > /dev/null
	cargo clippy $(LOCKED) -p sluice-component --target wasm32-wasip2 -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" \
		cargo doc $(LOCKED) --workspace --no-deps --document-private-items

.PHONY: unit
unit: ## Tests of each crate; what needs Envoy is skipped where there is none
	cargo test $(LOCKED) --workspace --exclude sluice-tests

.PHONY: unit-release
unit-release: ## The data path's tests with release arithmetic, where overflow wraps
	cargo test $(LOCKED) -p sluice-translators -p sluice-filter \
		$(foreach crate,translators filter,$(foreach check,overflow-checks debug-assertions,\
			--config profile.dev.package.sluice-$(crate).$(check)=false))

.PHONY: scenarios
scenarios: build ## Scenarios: the filter alone at every chunking, then both its forms in real Envoy
	@scripts/setup.sh envoy
	cargo test $(LOCKED) -p sluice-tests --lib --test native --test envoy --test tokens --test wasm

.PHONY: scenarios-oldest
scenarios-oldest: build ## Scenarios through the oldest Envoys: 1.36 with the wasm, 1.39 with the module
	@scripts/setup.sh envoy-oldest
	HOSTS=wasm ENVOY=$(CURDIR)/.venv-oldest/wasm/bin/envoy cargo test $(LOCKED) -p sluice-tests --test envoy
	HOSTS=module ENVOY=$(CURDIR)/.venv-oldest/module/bin/envoy cargo test $(LOCKED) -p sluice-tests --test envoy

.PHONY: soak
soak: build ## Thousands of mixed requests, then: no crash, no leak, memory on a plateau
	@scripts/setup.sh envoy
	cargo test $(LOCKED) -p sluice-tests --test soak

.PHONY: hardening
hardening: build ## Attacks, floods, slow ends and leaks through real Envoy: docs/security.md
	@scripts/setup.sh envoy
	cargo test $(LOCKED) -p sluice-tests --test hardening --test security_page

.PHONY: streams
streams: build ## As many streams at once as this machine has files for, up to STREAMS (10000)
	@scripts/setup.sh envoy
	STREAMS=$(or $(STREAMS),10000) cargo test $(LOCKED) -p sluice-tests --test hardening -- streams::

.PHONY: sdk
sdk: build ## The vendors' SDKs as clients, through real Envoy
	@scripts/setup.sh envoy sdk
	.venv/bin/pytest tests/sdk

.PHONY: wasm-tests
wasm-tests: ## The translators' tests compiled to WebAssembly, under Node (installs both runners)
	@scripts/setup.sh wasm-tests
	PATH="$(CURDIR)/.venv/bin:$$PATH" \
		CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER="$(CURDIR)/.tools/bin/wasm-bindgen-test-runner" \
		cargo test $(LOCKED) -p sluice-translators --lib --target wasm32-unknown-unknown

.PHONY: component-tests
component-tests: component ## The component in a host of components
	SLUICE_COMPONENT="$(abspath $(TARGET)/wasm32-wasip2/wasm/sluice_component.wasm)" \
		.venv/bin/pytest component/tests

.PHONY: limits
limits: build ## Limits of each kind, with real Redis and Envoy's rate limit service; failures; exactness
	@scripts/setup.sh envoy sdk limits
	.venv/bin/pytest tests/limits

.PHONY: limits-exact
limits-exact: build ## The tables of docs/limits.md: LIMITS_REQUESTS (10000) mixed requests, to the token
	@scripts/setup.sh envoy sdk limits
	LIMITS_REQUESTS=$${LIMITS_REQUESTS:-10000} .venv/bin/pytest -s tests/limits/test_exactness.py \
		tests/limits/test_reserve.py tests/limits/test_failures.py

.PHONY: observability
observability: build ## Access log, OTLP, and each query of the dashboard, with real Envoy and Prometheus
	@scripts/setup.sh envoy observability
	.venv/bin/pytest tests/observability

.PHONY: clients
clients: build ## The clients that people run (codex, gemini) through real Envoy; needs Node.js, takes minutes
	@scripts/setup.sh envoy sdk clients
	UPDATE=1 .venv/bin/pytest tests/sdk/agents

.PHONY: fuzz
fuzz: ## Fuzz the readers, FUZZ_SECONDS each (10)
	@FUZZ_SECONDS=$(FUZZ_SECONDS) scripts/fuzz.sh

.PHONY: miri
miri: ## The module's border to Envoy under Miri; needs a nightly Rust with miri and rust-src
	MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test $(LOCKED) -p sluice-module --lib

.PHONY: deny
deny: ## Licences, sources, versions and known vulnerabilities of the dependencies (installs cargo-deny)
	@scripts/setup.sh deny
	.tools/bin/cargo-deny check bans licenses sources
	@scripts/advisories.sh

##@ Release

.PHONY: release
release: build ## The built files with checksums and bills of materials, in target/dist (installs cargo-cyclonedx)
	@scripts/setup.sh sbom
	@SLUICE="$(abspath $(TARGET)/release/sluice)" scripts/release.sh "$(abspath $(TARGET)/dist)"

##@ Measure

.PHONY: bench
bench: build ## Sluice beside plain Envoy in one run: target/bench (needs two quiet processors)
	@scripts/setup.sh envoy bench
	.venv/bin/python bench/run.py $(BENCH)

.PHONY: bench-peers
bench-peers: build ## The same with LiteLLM's proxy (installs it)
	@scripts/setup.sh envoy bench bench-peers
	.venv/bin/python bench/run.py --litellm .venv-peers/bin/litellm $(BENCH)

.PHONY: dashboard
dashboard: build ## The picture of the dashboard, of two minutes of traffic: docs/dashboard.svg
	@scripts/setup.sh envoy observability
	.venv/bin/python dashboards/check.py --host module --seconds 120 --picture docs/dashboard.svg

.PHONY: bench-translate
bench-translate: ## What translation costs by itself: time, bytes per second, allocations
	cargo bench $(LOCKED) -p sluice-translators --bench translate

##@ Develop

.PHONY: gen
gen: ## Write generated files again: envoy/bootstrap.yaml, docs/*.md, the command line's transcripts
	UPDATE=1 INSTA_UPDATE=always cargo test $(LOCKED) -p sluice $(GENERATING)
	UPDATE=1 cargo test $(LOCKED) -p sluice-tests --test native -- matrix/

.PHONY: gen-check
gen-check: ## Tell whether generated files are fresh (`make unit` and `make scenarios` do too)
	INSTA_UPDATE=no cargo test $(LOCKED) -p sluice $(GENERATING)
	cargo test $(LOCKED) -p sluice-tests --test native -- matrix/

.PHONY: clean
clean: ## Remove what was built and installed
	rm -rf .venv .venv-oldest .venv-peers fuzz/target
	cargo clean

.PHONY: help
help: ## This list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  %-18s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)
