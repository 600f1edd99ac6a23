package serve

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// worthCompressing is the size from which an answer is compressed: below, it fits a packet or two anyway.
const worthCompressing = 1024

// packer compresses what is written to it.
type packer interface {
	io.WriteCloser
	Reset(w io.Writer)
	Flush() error
}

// encoding is a Content-Encoding. Levels are the fast ones, windows the size of answers and not of files: an answer is compressed once, for one
// client, while it waits.
type encoding struct {
	name    string
	packers sync.Pool // of packer
}

// encodings are those that there are, the best of equals first.
var encodings = []*encoding{
	{name: "zstd", packers: sync.Pool{New: func() any {
		// The options are valid.
		z, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(256<<10))
		return z
	}}},
	{name: "br", packers: sync.Pool{New: func() any {
		return brotli.NewWriterOptions(nil, brotli.WriterOptions{Quality: 3, LGWin: 18})
	}}},
	{name: "gzip", packers: sync.Pool{New: func() any {
		z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is valid
		return z
	}}},
}

// Encodings are the names of the content encodings that answers may have.
func Encodings() []string {
	var names []string
	for _, e := range encodings {
		names = append(names, e.name)
	}
	return names
}

// packing picks the encoding of an answer by the Accept-Encoding header: the one with the highest quality, the first of equals. Nil: none.
func packing(header string, offered []*encoding) *encoding {
	if header == "" {
		return nil
	}
	var best *encoding
	bestQuality := 0
	for _, e := range offered {
		if q := encodingQuality(header, e.name); q > bestQuality {
			best, bestQuality = e, q
		}
	}
	if best != nil && bestQuality < encodingQuality(header, "identity") && namesEncoding(header, "identity") {
		return nil // as it is, says the client
	}
	return best
}

// encodingQuality is how much a client likes an encoding, in thousandths.
func encodingQuality(header, name string) int {
	any := 0
	for part := range strings.SplitSeq(header, ",") {
		what, params, _ := strings.Cut(part, ";")
		switch what = strings.TrimSpace(what); {
		case strings.EqualFold(what, name):
			return quality(params)
		case what == "*":
			any = quality(params)
		}
	}
	return any
}

func namesEncoding(header, name string) bool {
	for part := range strings.SplitSeq(header, ",") {
		what, _, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(what), name) {
			return true
		}
	}
	return false
}

// offeredEncodings finds encodings by name; nil: all.
func offeredEncodings(names []string) []*encoding {
	if names == nil {
		return encodings
	}
	var offered []*encoding
	for _, e := range encodings {
		if slices.Contains(names, e.name) {
			offered = append(offered, e)
		}
	}
	return offered
}

// pack compresses a whole answer into dst.
func (e *encoding) pack(dst *bytes.Buffer, body []byte) error {
	z := e.packers.Get().(packer)
	defer e.packers.Put(z)
	z.Reset(dst)
	if _, err := z.Write(body); err != nil {
		return err
	}
	return z.Close()
}

// unpacked is the body of a request, decompressed if it has to be. What it costs is bounded by whoever reads it no further than he must:
// decoders are given little room, and produce as they are read. An encoding that is not accepted is a refusal.
func (s *edition) unpacked(body io.Reader, encoding string) (r io.Reader, done func(), refusal *Refusal) {
	encoding = strings.ToLower(strings.TrimSpace(encoding))
	nothing := func() {}
	if encoding == "" || encoding == "identity" {
		return body, nothing, nil
	}
	refuse := func(message string) (io.Reader, func(), *Refusal) {
		refusal := Refuse(http.StatusUnsupportedMediaType, CodeBadRequest, message)
		if s.o.CompressedBodies { // RFC 9110, section 12.5.3
			refusal.Header = http.Header{"Accept-Encoding": {strings.Join(Encodings(), ", ")}}
		}
		return nil, nothing, refusal
	}
	if !s.o.CompressedBodies {
		return refuse("compressed bodies are not accepted")
	}
	switch encoding {
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, nothing, Refuse(http.StatusBadRequest, CodeBadRequest, "the body is not what its content encoding says")
		}
		return z, nothing, nil
	case "br":
		return brotli.NewReader(body), nothing, nil
	case "zstd":
		z, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			return nil, nothing, Refuse(http.StatusBadRequest, CodeBadRequest, "the body is not what its content encoding says")
		}
		return z, z.Close, nil
	}
	return refuse("the content encoding must be one of " + strings.Join(Encodings(), ", "))
}
