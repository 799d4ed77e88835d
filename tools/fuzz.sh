#!/bin/sh
# Runs every fuzz target of the module for the given time, one after the other.
# Usage: fuzz.sh TIME
set -eu
time=${1:?usage: fuzz.sh TIME}
go=${GO:-go}
cd "$(dirname -- "$0")/.."

targets=$(grep -rhoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*\(' audit cmd report rules snapshot | wc -l)
[ "$targets" -gt 0 ] || { echo "fuzz: no targets found" >&2; exit 1; }

out=$(mktemp)
trap 'rm -f -- "$out"' EXIT
failed=0
grep -rlE --include='*_test.go' '^func Fuzz' audit cmd report rules snapshot | sort >"$out.files"
while read -r file; do
	dir=./$(dirname -- "$file")
	for name in $(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$file"); do
		echo "fuzz $dir $name"
		# go test now and then reports its own deadline as a failure, without an
		# input that fails: that is asked once more.
		for attempt in 1 2; do
			if $go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 1x "$dir" >"$out" 2>&1; then
				break
			fi
			if [ $attempt = 1 ] && grep -q 'context deadline exceeded' "$out" && ! grep -q 'Failing input' "$out"; then
				continue
			fi
			cat "$out"
			failed=1
			break
		done
	done
done <"$out.files"
rm -f -- "$out.files"
exit $failed
