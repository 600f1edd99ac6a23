package http1

import (
	"bytes"
	"fmt"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Lengths of bodies that do not say how long they are.
const (
	untilClosed = -1
	inChunks    = -2
)

// head is what stands before an answer's body.
type head struct {
	status int
	header http.Header
	length int64 // of the body; untilClosed, inChunks
	keep   bool  // the server keeps the connection open
}

// parseHead reads a status line and header lines, up to and including the empty line (RFC 9112, sections 4 to 6).
func parseHead(raw []byte) (head, error) {
	lines := string(raw) // one copy: names and values are parts of it
	line, lines := nextLine(lines)
	h := head{length: untilClosed}
	version, rest, _ := strings.Cut(line, " ")
	status, _, _ := strings.Cut(rest, " ")
	var err error
	if h.status, err = strconv.Atoi(status); err != nil || len(status) != 3 || h.status < 100 || version != "HTTP/1.1" && version != "HTTP/1.0" {
		return h, fmt.Errorf("%w: it begins with %.40q", ErrMalformed, line)
	}
	h.keep = version == "HTTP/1.1"
	h.header = make(http.Header, 8)
	values := make([]string, 0, 8) // backs the header's, one each as a rule
	for {
		if line, lines = nextLine(lines); line == "" {
			break
		}
		name, value, colon := strings.Cut(line, ":")
		if !colon || !httpguts.ValidHeaderFieldName(name) || strings.ContainsAny(value, "\r\x00") {
			return h, fmt.Errorf("%w: a header line that is none", ErrMalformed)
		}
		name, value = textproto.CanonicalMIMEHeaderKey(name), strings.Trim(value, " \t")
		if had := h.header[name]; had != nil {
			h.header[name] = append(had, value)
			continue
		}
		values = append(values, value)
		h.header[name] = values[len(values)-1 : len(values) : len(values)]
	}
	return h, h.frame(version)
}

func nextLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// frame finds out how long the body is and whether the connection outlives it (RFC 9112, sections 6.3 and 9.3).
func (h *head) frame(version string) error {
	if httpguts.HeaderValuesContainsToken(h.header["Connection"], "close") {
		h.keep = false
	}
	coding, length := h.header["Transfer-Encoding"], h.header["Content-Length"]
	switch {
	case h.status < 200, h.status == http.StatusNoContent, h.status == http.StatusNotModified:
		h.length = 0
	case len(coding) > 0:
		if len(coding) > 1 || !strings.EqualFold(coding[0], "chunked") || version != "HTTP/1.1" {
			return fmt.Errorf("%w: a transfer coding that nobody asked for", ErrMalformed)
		}
		h.length = inChunks
		h.keep = h.keep && len(length) == 0 // two lengths: somebody on the way may have read the other one
	case len(length) > 0:
		for _, l := range length[1:] {
			if l != length[0] {
				return fmt.Errorf("%w: two lengths", ErrMalformed)
			}
		}
		n, err := strconv.ParseUint(length[0], 10, 63)
		if err != nil {
			return fmt.Errorf("%w: a length that is none", ErrMalformed)
		}
		h.length = int64(n)
	default:
		h.keep = false
	}
	return nil
}

// endOfHead finds the end of the empty line after a head, from an offset before which there is none; 0: not there yet.
func endOfHead(b []byte, from int) int {
	for {
		n := bytes.IndexByte(b[from:], '\n')
		if n < 0 {
			return 0
		}
		from += n + 1
		switch rest := b[from:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return from + 1
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return from + 2
		}
	}
}
