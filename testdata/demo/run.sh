#!/bin/sh
# Shows audit at work: a sample shop, a bad Friday, and one file brought back.
# Usage: run.sh AUDIT-BINARY
#
# Works in a temporary folder, which it removes. PM2_HOME points at nothing
# there, so that the reader's own PM2 is neither asked nor shown.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
program=$(CDPATH= cd -- "$(dirname -- "${1:?usage: run.sh AUDIT-BINARY}")" && pwd)/$(basename -- "$1")

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' INT TERM

# The environment of the demonstration, so that the reader's own settings play no part.
unset AUDIT_ROOT AUDIT_CONFIG AUDIT_STORE AUDIT_FAIL_ON AUDIT_FAIL_UNDER AUDIT_IDENTITY_FILE || :
PM2_HOME=$work/no-pm2
GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
GIT_AUTHOR_NAME=Demo GIT_AUTHOR_EMAIL=demo@fernhill.example
GIT_COMMITTER_NAME=Demo GIT_COMMITTER_EMAIL=demo@fernhill.example
export PM2_HOME GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM
export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL

say() { printf '\n# %s\n' "$*"; }

# show prints the command as it would be typed, runs it, and prints its exit
# code. A gate that fails is part of the story; anything else ends it.
show() {
	printf '\n$ audit'
	for word in "$@"; do
		case $word in
		*[!A-Za-z0-9_./:~=-]*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	echo
	code=0
	"$program" "$@" || code=$?
	echo "(exit $code)"
	case $code in
	0 | 1) ;;
	*) exit "$code" ;;
	esac
}

# commit keeps the state of the project in git, where there is git.
commit() {
	command -v git >/dev/null 2>&1 || return 0
	[ -d .git ] || git -c init.defaultBranch=main init -q
	git add -A
	GIT_AUTHOR_DATE=$2 GIT_COMMITTER_DATE=$2 git -c commit.gpgsign=false -c core.autocrlf=false commit -q -m "$1"
}

mkdir "$work/shop"
cp -R "$here/../site/." "$work/shop"
cd "$work/shop"
commit 'The shop as it is' 2026-11-19T09:00:00Z

say 'Monday. A shop with PM2 apps, workflows, functions and scripts; mostly healthy.'
show run

say 'A bad Friday: a "fixer" guts the deploy workflow until it is green,'
echo '# a refactoring loses the export of the checkout function,'
echo '# and a tidy-up deletes the backup script. All of it committed.'
cp -R "$here/bad-friday/." .
rm scripts/backup-db.sh
commit 'Fix CI, tidy up' 2026-11-20T16:55:00Z

show run

say 'What exactly is different?'
show diff

say 'Bring the backup script back as it was in the first run.'
show restore '#1' scripts/scripts/backup-db.sh

show run
show list
