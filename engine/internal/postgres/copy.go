package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// table gathers rows of whole numbers in the binary format of COPY (PostgreSQL manual, COPY, "File
// Formats"). Writing it by hand spares a boxed value for every column of every row, which was most
// of the projector's work.
type table struct {
	copy string // the COPY statement
	rows int
	data []byte
}

var copyHeader = append([]byte("PGCOPY\n\xff\r\n\x00"), 0, 0, 0, 0, 0, 0, 0, 0)

func newTable(name, columns string) *table {
	return &table{copy: fmt.Sprintf("COPY %s (%s) FROM STDIN (FORMAT binary)", name, columns)}
}

func (t *table) reset() { t.rows, t.data = 0, append(t.data[:0], copyHeader...) }

// row begins a row of n columns, which the caller then appends in order.
func (t *table) row(n int16) {
	t.rows++
	t.data = binary.BigEndian.AppendUint16(t.data, uint16(n))
}

func (t *table) bigint(v int64) {
	t.data = binary.BigEndian.AppendUint32(t.data, 8)
	t.data = binary.BigEndian.AppendUint64(t.data, uint64(v))
}

func (t *table) integer(v int32) {
	t.data = binary.BigEndian.AppendUint32(t.data, 4)
	t.data = binary.BigEndian.AppendUint32(t.data, uint32(v))
}

func (t *table) smallint(v int16) {
	t.data = binary.BigEndian.AppendUint32(t.data, 2)
	t.data = binary.BigEndian.AppendUint16(t.data, uint16(v))
}

// send copies the rows within a transaction.
func (t *table) send(ctx context.Context, tx pgx.Tx) error {
	if t.rows == 0 {
		return nil
	}
	t.data = append(t.data, 0xff, 0xff)
	tag, err := tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(t.data), t.copy)
	if err != nil {
		return fmt.Errorf("%s: %w", t.copy, err)
	}
	if tag.RowsAffected() != int64(t.rows) {
		return fmt.Errorf("%s: %d of %d rows arrived", t.copy, tag.RowsAffected(), t.rows)
	}
	return nil
}
