# Reads `go test -v`, which prints package by package, and keeps what a person looks for. Skipped tests go to the file `skips`.

function shown(l) { return l !~ /^ *(=== (RUN|PAUSE|CONT|NAME)|--- PASS)/ && l != "PASS" && l != "" }

# A skip's reason is the line before it ("    x_test.go:12: no Redis here").
/^ *--- SKIP: / {
	reason = last
	sub(/^ *[^ ]+\.go:[0-9]+: /, "", reason)
	print label $3 ": " reason >> skips
}
/^ +[^ ]+\.go:[0-9]+: / { last = $0 }

# What the compiler says comes in between, and belongs to no package's tests.
/^# / || /^go: / || /^[^ ]+\.go:[0-9]+:[0-9]+: / || /^\ttoo many errors/ {
	print
	next
}

# The line that ends a package.
/^(ok|FAIL|\?) *\t/ {
	if ($1 == "FAIL") {
		bad = 1
		for (i = 1; i <= n; i++) if (shown(lines[i])) print lines[i]
	}
	if ($1 == "FAIL" || $1 == "ok") print
	n = 0
	fflush()
	next
}
{ lines[++n] = $0 }

END {
	# What is left belongs to no package: a build that failed, a panic.
	for (i = 1; i <= n; i++) if (shown(lines[i])) print lines[i]
	for (i = 1; i <= n; i++) if (lines[i] == "FAIL") bad = 1
	exit bad
}
