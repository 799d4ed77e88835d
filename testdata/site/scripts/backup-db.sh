#!/usr/bin/env bash
# Dumps the database into backups/ and keeps the last fourteen.
set -euo pipefail

cd "$(dirname "$0")/.."
mkdir -p backups

if [ -z "${DATABASE_URL:-}" ]; then
  echo "backup-db: DATABASE_URL is not set" >&2
  exit 1
fi

file="backups/shop-$(date -u +%Y%m%dT%H%M%SZ).sql.gz"
pg_dump --no-owner "$DATABASE_URL" | gzip -9 > "$file.part"
mv "$file.part" "$file"

find backups -name 'shop-*.sql.gz' | sort -r | tail -n +15 | while read -r old; do
  rm -- "$old"
done
echo "wrote $file"
