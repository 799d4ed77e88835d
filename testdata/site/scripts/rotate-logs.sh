#!/usr/bin/env bash
# Keeps each log below ten megabytes, one generation back.
set -euo pipefail

cd "$(dirname "$0")/.."
for log in logs/*.log; do
  [ -f "$log" ] || continue
  if [ "$(wc -c < "$log")" -gt 10485760 ]; then
    cp -- "$log" "$log.1"
    : > "$log"
  fi
done
