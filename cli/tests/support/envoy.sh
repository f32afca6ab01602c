#!/bin/sh
# Says that it is the Envoy of FAKE_VERSION, and otherwise ends as Envoy does when the filter does not
# like its configuration.
if [ "$1" = --version ]; then
    echo "envoy  version: 0/$FAKE_VERSION/Clean/RELEASE/BoringSSL"
    exit
fi
echo 'info|starting' >&2
echo 'error|wasm log downstream sluice: environment variable KEY is not set' >&2
echo 'critical|Plugin configured to fail closed failed to load' >&2
exit 1
