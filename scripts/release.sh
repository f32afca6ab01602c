#!/usr/bin/env bash
# Puts a release together: the filter in both its forms, the command line tool, a bill of materials for
# each (CycloneDX, by OWASP's cargo-cyclonedx), and checksums of all.
#
# usage: scripts/release.sh FOLDER     (after `make build` and `scripts/setup.sh sbom`)
#   SLUICE_WASM, SLUICE_MODULE, SLUICE   the built files
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Nobody's request may ask a shipped filter to panic: the hook of the tests.
readonly HOOK=x-sluice-test-panic

main() {
    local folder=$1
    rm -rf "$folder" && mkdir -p "$folder"
    local host
    host=$(rustc --version --verbose | sed -n 's/^host: //p')
    artifact "$SLUICE_WASM" "$folder" filter wasm32-wasip1
    artifact "$SLUICE_MODULE" "$folder" module "$host"
    artifact "$SLUICE" "$folder" cli "$host"
    cp LICENSE "$folder"
    (cd "$folder" && sha256sum -- * >SHA256SUMS)
    printf 'release: %s\n' "$folder"
    (cd "$folder" && ls -l)
}

artifact() {
    local file=$1 folder=$2 package=$3 target=$4
    [[ -f $file ]] || die "$file is not built: make build"
    ! grep --quiet --text "$HOOK" "$file" || die "$file has the hook of the tests: build it again"
    cp "$file" "$folder"
    bill "$package" "$target" "$folder/$(basename "$file").cdx.json"
}

# The tool writes a file beside the manifest of each package of the workspace.
bill() {
    local package=$1 target=$2 file=$3 name=sluice-bill
    # Reproducible: no serial number, and the time of the commit.
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || printf 0) \
        .tools/bin/cargo-cyclonedx cyclonedx --quiet --format json --spec-version 1.5 --target "$target" \
        --override-filename "$name"
    # Where it was built is nobody's business.
    sed "s|$PWD|.|g" "$package/$name.json" >"$file"
    find . -name "$name.json" -not -path './target/*' -delete
}

main "$@"
