package telemetry

import (
	"net/netip"
	"time"

	"bourse/router/identity"
)

// Record is what is known of a finished operation, for logs and counters. It holds neither variables nor headers.
type Record struct {
	RequestID string
	Transport string // http, sse, websocket
	Operation string // name; may be empty
	Kind      string // query, mutation, subscription; empty when the request was refused before that was known
	Status    int    // HTTP status; 0 on a WebSocket
	Code      string // of the refusal; empty when there was an answer
	Errors    bool   // the answer, or one of the events, has errors
	Bytes     int    // written, before compression
	Events    int    // of a subscription, or messages of an answer in parts
	Duration  time.Duration
	Address   netip.Addr         // the client's
	Identity  *identity.Identity // nil: nobody
}

// outcome sums a record up in one word: refused, errors or ok.
func (r *Record) outcome() string {
	switch {
	case r.Code != "":
		return "refused"
	case r.Errors:
		return "errors"
	default:
		return "ok"
	}
}
