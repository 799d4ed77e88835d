#!/bin/sh
# A collector for audit: how old and how large the newest file of each folder of
# backups is. Arguments: NAME=FOLDER …
#
#   plugins:
#     collectors:
#       - name: backups
#         command: [./backups.sh, database=/var/backups/db, uploads=/var/backups/uploads]
#         metrics: [age_hours, bytes]
#
# Whether 30 hours are too many is for a check to say, not for the collector:
# see docs/plugins.md.
set -eu

# audit gives the time to go by, so that the same files give the same answer.
now=$(sed -n 's/.*"at":"\([^"]*\)".*/\1/p')
now=$(date -u -d "$now" +%s 2>/dev/null || date -u -j -f %Y-%m-%dT%H:%M:%SZ "$now" +%s)

printf '{"schema":"audit.plugin/v1","items":['
comma=
for arg in "$@"; do
	name=${arg%%=*}
	dir=${arg#*=}
	printf '%s{"id":"%s"' "$comma" "$name"
	comma=,
	if ! [ -d "$dir" ] || ! [ -r "$dir" ]; then
		# Nobody can tell how it is: that is not the same as "there is none".
		printf ',"unknown":"its folder cannot be read"}'
		continue
	fi
	# shellcheck disable=SC2012 # the name is not used but as a path
	newest=$(ls -t "$dir" | head -n 1)
	if [ -z "$newest" ]; then
		printf ',"state":"empty"}'
		continue
	fi
	file=$dir/$newest
	at=$(stat -c %Y "$file" 2>/dev/null || stat -f %m "$file")
	bytes=$(wc -c <"$file" | tr -d ' ')
	printf ',"state":"there","metrics":{"age_hours":%d,"bytes":%d}}' "$(((now - at) / 3600))" "$bytes"
done
printf ']}\n'
