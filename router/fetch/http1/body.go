package http1

import (
	"errors"
	"fmt"
	"io"
)

// believed is how much of an announced length, in bytes, gets a buffer before anything of it has come.
const believed = 1 << 20

// inbox is what has been read of an answer and not been taken: buf[r:w].
type inbox struct {
	conn *conn
	buf  *buffer
	r, w int
}

// fill reads more, once.
func (in *inbox) fill() error {
	if in.w == len(in.buf.b) {
		in.buf = in.buf.grow(in.w, 2*len(in.buf.b))
	}
	n, err := in.conn.net.Read(in.buf.b[in.w:])
	in.w += n
	switch {
	case n > 0:
		in.conn.answered = true
		return nil // an error comes again
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case err == nil:
		return io.ErrNoProgress
	}
	return err
}

// head takes the next head. It is valid until the next call of a method.
func (in *inbox) head() ([]byte, error) {
	looked := 0 // there is no end before this
	for {
		if n := endOfHead(in.buf.b[in.r:in.w], looked); n > 0 {
			raw := in.buf.b[in.r : in.r+n]
			in.r += n
			return raw, nil
		}
		if in.w-in.r > in.conn.o.MaxHead {
			return nil, ErrHeadTooLarge
		}
		looked = max(in.w-in.r-2, 0) // the last line's end may be the end of all
		if err := in.fill(); err != nil {
			return nil, err
		}
	}
}

// readBody reads the body. What it returns is a part of in.buf.
func (in *inbox) readBody(h *head) ([]byte, error) {
	switch h.length {
	case inChunks:
		return in.chunks()
	case untilClosed:
		return in.toEnd()
	}
	limit := in.conn.o.MaxBody
	if h.length > limit {
		return nil, ErrBodyTooLarge
	}
	n := int(h.length)
	in.makeRoom(min(n, believed))
	for in.w-in.r < n {
		if in.w == len(in.buf.b) {
			in.buf = in.buf.grow(in.w, min(2*len(in.buf.b), in.r+n))
		}
		if err := in.fill(); err != nil {
			return nil, err
		}
	}
	body := in.buf.b[in.r : in.r+n]
	in.r += n
	return body, nil
}

// makeRoom makes room for n bytes from r on, in a buffer that holds only what has not been taken.
func (in *inbox) makeRoom(n int) {
	if in.r+n <= len(in.buf.b) {
		return
	}
	roomy := buffers.take(max(n, in.w-in.r))
	in.w = copy(roomy.b, in.buf.b[in.r:in.w])
	in.r = 0
	in.buf.free()
	in.buf = roomy
}

func (in *inbox) toEnd() ([]byte, error) {
	for {
		if int64(in.w-in.r) > in.conn.o.MaxBody {
			return nil, ErrBodyTooLarge
		}
		switch err := in.fill(); {
		case errors.Is(err, io.ErrUnexpectedEOF):
			body := in.buf.b[in.r:in.w]
			in.r = in.w
			return body, nil
		case err != nil:
			return nil, err
		}
	}
}

// chunks reads chunked data (RFC 9112, section 7.1) and moves it together in place: buf[start:end] is the body so far.
func (in *inbox) chunks() ([]byte, error) {
	start := in.r
	end := start
	for {
		size, err := in.chunkSize(end)
		if err != nil {
			return nil, err
		}
		if size == 0 {
			break
		}
		if int64(end-start)+size > in.conn.o.MaxBody {
			return nil, ErrBodyTooLarge
		}
		if n := end + int(min(size, believed)); n > len(in.buf.b) {
			in.buf = in.buf.grow(in.w, n)
		}
		for left := int(size); left > 0; {
			if in.r == in.w {
				in.r, in.w = end, end
				if err := in.fill(); err != nil {
					return nil, err
				}
			}
			n := min(in.w-in.r, left)
			if in.r != end {
				copy(in.buf.b[end:], in.buf.b[in.r:in.r+n])
			}
			in.r, end, left = in.r+n, end+n, left-n
		}
		if line, err := in.line(end); err != nil || len(line) > 0 {
			return nil, errors.Join(err, fmt.Errorf("%w: a chunk that does not end", ErrMalformed))
		}
	}
	for trailers := 0; ; {
		line, err := in.line(end)
		if err != nil {
			return nil, err
		}
		if len(line) == 0 {
			return in.buf.b[start:end], nil
		}
		if trailers += len(line); trailers > in.conn.o.MaxHead {
			return nil, ErrHeadTooLarge
		}
	}
}

// chunkSize reads the line before a chunk: hexadecimal digits, and extensions that mean nothing here.
func (in *inbox) chunkSize(end int) (int64, error) {
	line, err := in.line(end)
	if err != nil {
		return 0, err
	}
	var size int64
	for i, c := range line {
		var digit byte
		switch {
		case '0' <= c && c <= '9':
			digit = c - '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			digit = c | 0x20 - 'a' + 10
		case i > 0 && (c == ';' || c == ' ' || c == '\t'):
			return size, nil
		default:
			return 0, fmt.Errorf("%w: a chunk without a size", ErrMalformed)
		}
		if size = size<<4 | int64(digit); size > 1<<40 {
			return 0, ErrBodyTooLarge
		}
	}
	if len(line) == 0 {
		return 0, fmt.Errorf("%w: a chunk without a size", ErrMalformed)
	}
	return size, nil
}

// maxLine bounds a line between chunks.
const maxLine = 4 << 10

// line takes a line without its end. When it has to read more, it first moves what is left up to end.
func (in *inbox) line(end int) ([]byte, error) {
	for {
		for i := in.r; i < in.w; i++ {
			if in.buf.b[i] != '\n' {
				continue
			}
			line := in.buf.b[in.r:i]
			in.r = i + 1
			if n := len(line); n > 0 && line[n-1] == '\r' {
				line = line[:n-1]
			}
			return line, nil
		}
		if in.w-in.r > maxLine {
			return nil, fmt.Errorf("%w: a line without an end between chunks", ErrMalformed)
		}
		in.w = end + copy(in.buf.b[end:], in.buf.b[in.r:in.w])
		in.r = end
		if err := in.fill(); err != nil {
			return nil, err
		}
	}
}
