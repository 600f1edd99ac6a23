# Sourced by the scripts beside it. They run on the bash 3.2 of macOS too.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
mkdir -p .build

GO=${GO:-go}
NPM=${NPM:-npm}

step() { printf '\n== %s\n' "$*"; }

fail() {
	printf '%s\n' "$*" >&2
	exit 1
}

# skip notes what was left out and why; the end of `make test` repeats it.
skip() {
	printf 'skipped: %s\n' "$*"
	printf '%s\n' "$*" >>.build/skipped
}

# hashes reads names of files and prints each with a hash of its content.
hashes() {
	local names
	names=$(LC_ALL=C sort)
	[ -n "$names" ] || return 0
	git hash-object --no-filters --stdin-paths <<<"$names" | paste -d ' ' - /dev/fd/3 3<<<"$names"
}

# fingerprint is one hash for the names and contents of all files whose names it reads, whatever their dates.
fingerprint() { hashes | git hash-object --stdin; }
