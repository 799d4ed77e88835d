#!/bin/sh
# Runs every fuzz target of the module for the given time, two packages side by
# side. Usage: fuzz.sh TIME
set -eu
time=${1:?usage: fuzz.sh TIME}
go=${GO:-go}
cd "$(dirname -- "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' INT TERM

# target DIR BINARY NAME: go test now and then reports its own deadline as a
# failure, without an input that fails: that is asked once more.
target() {
	echo "fuzz $1 $3"
	for attempt in 1 2; do
		if (cd "$root/$1" && "$2" -test.run '^$' -test.fuzz "^$3\$" -test.fuzztime "$time" -test.fuzzminimizetime 1x -test.parallel 1 \
			-test.fuzzcachedir "$cache/fuzz/$("$go" list "./")") >"$2.out" 2>&1; then
			return 0
		fi
		if [ $attempt = 1 ] && grep -q 'context deadline exceeded' "$2.out" && ! grep -q 'Failing input' "$2.out"; then
			continue
		fi
		cat "$2.out"
		return 1
	done
}

# package DIR: its test binary is built once for all of its targets.
package() {
	bin=$work/$(echo "$1" | tr / -)
	"$go" test -c -fuzz . -o "$bin" "./$1" || return 1
	broken=0 # not failed: a shell has one variable of a name
	for name in $(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$1"/*_test.go); do
		target "$1" "$bin" "$name" || broken=1
	done
	rm -f -- "$bin"
	return $broken
}

# half N: every second package from the Nth on.
half() {
	failed=0
	for dir in $(awk -v n="$1" 'NR % 2 == n % 2' "$work/packages"); do
		package "$dir" || failed=1
	done
	return $failed
}

cache=$("$go" env GOCACHE)
grep -rlE --include='*_test.go' '^func Fuzz' audit cmd report rules snapshot | xargs -r -n1 dirname | sort -u >"$work/packages"
[ -s "$work/packages" ] || { echo "fuzz: no targets found" >&2; exit 1; }
half 2 &
second=$!
failed=0
half 1 || failed=1
wait $second || failed=1
exit $failed
