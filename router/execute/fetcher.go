package execute

import (
	"context"
	"net/http"

	"bourse/router/identity"
	"bourse/router/plan"
)

// Fetcher posts one operation to one subgraph. Implementations are safe for concurrent use and honour ctx.
// An error means that no usable answer came back (down, timeout, too large); an answer of any
// HTTP status is a Response.
type Fetcher interface {
	Fetch(ctx context.Context, req *Request) (*Response, error)
}

// Request is one operation for one subgraph.
type Request struct {
	Subgraph   string             // name in the supergraph
	Body       []byte             // JSON: query, variables, operationName; not modified, not kept after Fetch returns
	Header     http.Header        // what the client's request passes on; may be nil; not modified
	Idempotent bool               // true for queries, which may be retried
	Identity   *identity.Identity // whom the client's request speaks for; nil: nobody
	Fetch      *plan.Fetch        // what the operation is in the plan; nil when it is of none
	Entities   int                // representations in the body; 0: no entities are asked for
}

// Response is what a subgraph answered.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	// Release hands Body back to its owner; may be nil. The executor calls it once, after the last
	// use of Body.
	Release func()
}

// FetchError is why a Fetcher has no answer, where clients are told more than that the subgraph could not be reached.
type FetchError struct {
	Code string // for extensions.code
	What string // in a message after the subgraph's name: "is not available"
	Err  error  // what clients are not told; may be nil
}

func (e *FetchError) Error() string {
	if e.Err == nil {
		return e.What
	}
	return e.What + ": " + e.Err.Error()
}

func (e *FetchError) Unwrap() error { return e.Err }
