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

# fingerprint names the content of the files whose names it reads, whatever their dates.
fingerprint() {
	LC_ALL=C sort | while IFS= read -r file; do
		if [ -f "$file" ]; then printf '%s %s\n' "$(git hash-object --no-filters "$file")" "$file"; fi
	done | git hash-object --stdin
}
