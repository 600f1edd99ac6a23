package serve

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/identity"
	"bourse/router/telemetry"
)

// Gateway answers GraphQL requests. It is used by many goroutines at once.
type Gateway interface {
	// Prepare goes with a request as far as it can without asking anyone: parse, limits, validation, variables, plan.
	Prepare(ctx context.Context, req *Request) (Operation, *Refusal)
}

// Operation is a prepared request. It is used by one goroutine.
type Operation interface {
	Kind() ast.Operation
	Name() string // as the client calls it; may be empty
	// Run executes a query or mutation.
	Run(ctx context.Context) Answer
	// Deferred says that the answer comes in parts: then Deliver is called instead of Run. Only for requests that are Incremental.
	Deferred() bool
	// Deliver executes a query or mutation with deferred parts, no longer than ctx lasts. Its Stream ends with io.EOF after the
	// answer of which HasNext is false.
	Deliver(ctx context.Context) Stream
	// Subscribe starts a subscription, or joins one that others have, and does not wait for its first event. It lasts until it ends by
	// itself, which the Sink is told, or until cancel is called; the end of ctx does not end it. cancel may be called again, from
	// any goroutine, and does not block.
	Subscribe(ctx context.Context, sink Sink) (cancel context.CancelFunc, refusal *Refusal)
}

// Answer is one response, ready to be written.
type Answer interface {
	AppendJSON(dst []byte) []byte
	HasErrors() bool
	HasNext() bool // whether there is more to this answer: deferred parts follow
	Release()
}

// ErrNothingYet is what a Stream says when it has waited long enough.
var ErrNothingYet = errors.New("no event yet")

// Stream is an answer on its way in parts, or the events of a subscription for whoever waits for them.
type Stream interface {
	// Next waits up to patience for the next event. It returns ErrNothingYet then, io.EOF when the stream is complete, a *Refusal
	// that the client should be told when it ended otherwise, or the error of ctx.
	Next(ctx context.Context, patience time.Duration) (Answer, error)
	Close()
}

// Request is a GraphQL request, whichever way it came.
type Request struct {
	Query         string // may be empty where the operation is named otherwise
	DocumentID    string // of a trusted document; may be empty
	OperationName string
	Variables     map[string]any // numbers are json.Number
	Extensions    map[string]json.RawMessage
	Incremental   bool               // the client takes the answer in parts, as @defer asks for
	Header        http.Header        // what may be passed on to subgraphs; not shared with other requests
	Sent          http.Header        // what the client sent: its request's headers or its WebSocket's upgrade's; shared, not to be changed
	Identity      *identity.Identity // whom the request speaks for, as Options.Admit found; nil: nobody
	Address       netip.Addr         // the client's, as Options.Address found
}

// Codes of refusals that this package makes itself.
const (
	CodeBadRequest         = "BAD_REQUEST"
	CodeMethodNotAllowed   = "METHOD_NOT_ALLOWED"
	CodeRequestTimeout     = "REQUEST_TIMEOUT" // the request's body did not come in time
	CodeCSRFPrevented      = "CSRF_PREVENTED"
	CodeLimitExceeded      = "OPERATION_LIMIT_EXCEEDED"
	CodeInternal           = "INTERNAL_SERVER_ERROR"
	CodeShuttingDown       = "SHUTTING_DOWN"
	CodeSubscriptionLagged = "SUBSCRIPTION_LAGGED"
	CodeUnauthenticated    = "UNAUTHENTICATED" // who the request speaks for is not proven, or no longer
)

// Refusal is why a request gets no answer with data.
type Refusal struct {
	// Status is the HTTP status. 0 stands for a GraphQL request that was well-formed as a request but refused as GraphQL: 400, or 200
	// for clients that asked for application/json, as the GraphQL over HTTP specification has it.
	Status int
	Header http.Header // of the HTTP answer, such as WWW-Authenticate and Retry-After; may be nil
	Errors []Error
}

func (r *Refusal) Error() string {
	if len(r.Errors) == 0 {
		return "refused"
	}
	return r.Errors[0].Message
}

// Code is the code of the first error.
func (r *Refusal) Code() string {
	if len(r.Errors) == 0 {
		return ""
	}
	code, _ := r.Errors[0].Extensions["code"].(string)
	return code
}

// Error is an entry of a response's errors.
type Error struct {
	Message    string         `json:"message"`
	Locations  []Location     `json:"locations,omitempty"`
	Path       []any          `json:"path,omitempty"`
	Extensions map[string]any `json:"extensions,omitempty"`
}

// Location is a place in the operation's text, from 1.
type Location struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Refuse makes a refusal with one error.
func Refuse(status int, code, message string) *Refusal {
	return &Refusal{Status: status, Errors: []Error{{Message: message, Extensions: map[string]any{"code": code}}}}
}

// appendJSON writes the refusal as a response.
func (r *Refusal) appendJSON(dst []byte) []byte {
	dst = append(dst, `{"errors":`...)
	dst = r.appendErrors(dst)
	return append(dst, '}')
}

func (r *Refusal) appendErrors(dst []byte) []byte {
	text, err := json.Marshal(r.Errors)
	if err != nil { // an extension that is not JSON: a mistake of whoever made the refusal
		text = []byte(`[{"message":"internal error","extensions":{"code":"` + CodeInternal + `"}}]`)
	}
	return append(dst, text...)
}

// Record is what is known of a finished operation, for logs and counters.
type Record = telemetry.Record
