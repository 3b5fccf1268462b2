#!/bin/sh
# A client in a shell: `curl.sh URL MODEL`.
set -e
post() { curl --silent --show-error --fail-with-body "$@"; echo; }
# rows; null is a gap
post "$1/v1/models/$2/score" --json '{"rows":[[39.1,18.7],[46.5,null],[50,15.2]]}'
# other outputs
post "$1/v1/models/$2/score" --json '{"rows":[[39.1,18.7]],"outputs":["component","anomaly"]}'
# lines in, lines out, however many
printf '[39.1,18.7]\n[50,15.2]\n' |
  post "$1/v1/models/$2/score" --no-buffer --header 'content-type: application/x-ndjson' --data-binary @-
# binary: little-endian f64 in and out, here two rows of zeros
head -c 32 /dev/zero |
  curl --silent --fail "$1/v1/models/$2/score" --header 'content-type: application/octet-stream' --data-binary @- |
  od -A n -t f8
