#!/usr/bin/env bash
# Envoy from a container image, in the place of an Envoy binary: make scenarios ENVOY_IMAGE=IMAGE.
#
# usage: ENVOY_IMAGE=envoyproxy/envoy:v1.40.0 scripts/envoy-image.sh ENVOY-ARGUMENTS…
#
# Configurations and filters lie in the system's folder for temporary files or in this project; both are
# mounted under their own names, and the network is the host's, as for a binary.
set -euo pipefail

: "${ENVOY_IMAGE:?names the image, for instance envoyproxy/envoy:v1.40.0}"
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
temporary=${TMPDIR:-/tmp}

exec docker run --rm --init --network host --user "$(id -u):$(id -g)" \
    --volume "$temporary:$temporary" --volume "$project:$project:ro" \
    --env ENVOY_DYNAMIC_MODULES_SEARCH_PATH \
    --entrypoint envoy "$ENVOY_IMAGE" "$@"
