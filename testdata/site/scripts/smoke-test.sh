#!/usr/bin/env bash
# Asks a running shop for the pages that must never fail.
set -euo pipefail

base="${1:-http://localhost:3000}"
for page in /healthz /api/products; do
  code=$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 10 "$base$page")
  if [ "$code" != 200 ]; then
    echo "smoke: $page answered $code" >&2
    exit 1
  fi
done
echo "smoke: fine"
