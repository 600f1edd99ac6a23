package subscribe

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// event is one server-sent event.
type event struct {
	name string
	data []byte // owned by the receiver
}

// errEventTooLarge is wrapped with the bound.
var errEventTooLarge = errors.New("event too large")

// decoder reads the text/event-stream format: lines ended by LF, CR or CRLF, data lines joined by a newline, comments and unknown fields
// skipped. An event that the end of the stream cuts off is dropped, as the format demands.
type decoder struct {
	r     *bufio.Reader
	limit int
	line  []byte
	first bool
	// afterCR remembers that the last line ended in CR. Whether an LF belongs to it shows with the next byte, which may come only with
	// the next event; waiting for it would hold this one back.
	afterCR bool
}

func newDecoder(r io.Reader, limit int) *decoder {
	return &decoder{r: bufio.NewReaderSize(r, 16<<10), limit: limit, first: true}
}

// next returns the following event, or io.EOF.
func (d *decoder) next() (event, error) {
	var e event
	var hasData bool
	for {
		line, err := d.readLine(len(e.data))
		if err != nil {
			return event{}, err
		}
		if len(line) == 0 {
			if hasData || e.name != "" {
				return e, nil
			}
			continue
		}
		field, value, _ := bytes.Cut(line, []byte{':'})
		value = bytes.TrimPrefix(value, []byte{' '})
		switch string(field) {
		case "event":
			e.name = string(value)
		case "data":
			if hasData {
				e.data = append(e.data, '\n')
			}
			hasData = true
			e.data = append(e.data, value...)
		}
	}
}

// readLine reads up to the end of the line; the result is valid until the next call. used is what the event holds already.
func (d *decoder) readLine(used int) ([]byte, error) {
	d.line = d.line[:0]
	for {
		b, err := d.r.ReadByte()
		if err != nil {
			return nil, err
		}
		if d.afterCR {
			d.afterCR = false
			if b == '\n' {
				continue // second half of a CRLF
			}
		}
		if b == '\n' || b == '\r' {
			d.afterCR = b == '\r'
			return d.finish(), nil
		}
		if used+len(d.line) >= d.limit {
			return nil, fmt.Errorf("%w: over %d bytes", errEventTooLarge, d.limit)
		}
		d.line = append(d.line, b)
	}
}

func (d *decoder) finish() []byte {
	if d.first {
		d.first = false
		return bytes.TrimPrefix(d.line, []byte("\xef\xbb\xbf"))
	}
	return d.line
}
