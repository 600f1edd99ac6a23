// Package migrations holds the schema of the database as numbered SQL files, in the order in which
// they are applied. A file is never edited once it has landed; a change is a new file.
//
// It deliberately does not apply them: the postgres package of the engine does.
package migrations

import "embed"

// Files are the migrations, one `NNNN_name.sql` each.
//
//go:embed *.sql
var Files embed.FS
