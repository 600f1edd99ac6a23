package router

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"bourse/router/identity"
	"bourse/router/serve"
	"bourse/router/telemetry"
)

// Explain says who may see plans and timings in the extensions of answers:
//
//	Bourse-Explain: plan, timings, cost    with the answer
//	Bourse-Explain: plan-only, cost        instead of the answer: nothing is executed
//
// Whoever asks and may not is refused, so that nothing is executed that was not meant to be. What is explained is never shared with equal
// operations under way.
type Explain struct {
	Roles []string // who has one of them may
	// Claim names a claim of the client's token; who has it as true, or as one of ClaimValues, may. Empty: no claim is enough.
	Claim       string
	ClaimValues []string
	// Secret lets in whoever sends it in the header Bourse-Explain-Secret, whoever else they are. Empty: no secret does.
	Secret string
}

// Headers of requests for explanations.
const (
	ExplainHeader       = "Bourse-Explain"
	ExplainSecretHeader = "Bourse-Explain-Secret"
)

const codeExplainForbidden = "EXPLAIN_FORBIDDEN"

// explanation is what of an operation is explained.
type explanation struct {
	plan, timings, cost bool
	only                bool // nothing is executed
}

func (e explanation) wanted() bool { return e != explanation{} }

// explanation reads what a request asks to have explained.
func (g *gateway) explanation(req *serve.Request) (explanation, *serve.Refusal) {
	asked := req.Sent.Get(ExplainHeader)
	if asked == "" {
		return explanation{}, nil
	}
	if !g.explain.allows(req.Identity, req.Sent.Get(ExplainSecretHeader)) {
		return explanation{}, serve.Refuse(http.StatusForbidden, codeExplainForbidden, "plans and timings are not for this client")
	}
	var e explanation
	for word := range strings.SplitSeq(asked, ",") {
		switch strings.TrimSpace(word) {
		case "plan":
			e.plan = true
		case "timings":
			e.timings = true
		case "cost":
			e.cost = true
		case "plan-only":
			e.plan, e.only = true, true
		default:
			return explanation{}, serve.Refuse(http.StatusBadRequest, serve.CodeBadRequest, ExplainHeader+" may have plan, timings, cost and plan-only")
		}
	}
	return e, nil
}

func (e *Explain) allows(who *identity.Identity, secret string) bool {
	switch {
	case e == nil:
		return false
	case e.Secret != "" && sameSecret(e.Secret, secret):
		return true
	case slices.ContainsFunc(e.Roles, who.HasRole):
		return true
	case e.Claim == "" || who == nil:
		return false
	}
	claim := who.Claims[e.Claim]
	text, isText := claim.(string)
	return claim == true || isText && slices.Contains(e.ClaimValues, text)
}

// sameSecret compares in a time that says nothing of either, their lengths included.
func sameSecret(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// explained is an answer with explanations.
type explained struct {
	serve.Answer
	extensions func() []byte
}

// AppendJSON implements serve.Answer. The explanations are made as late as can be, so that the timings have what went before.
func (e *explained) AppendJSON(dst []byte) []byte {
	dst = e.Answer.AppendJSON(dst)
	return withExtensions(dst, e.extensions())
}

// withExtensions puts a member "extensions" at the end of a response.
func withExtensions(response, extensions []byte) []byte {
	response = response[:len(response)-1] // the brace that ends it
	return append(append(append(response, `,"extensions":`...), extensions...), '}')
}

// costs are what an operation costs, and may.
type costs struct {
	Estimated int  `json:"estimated"`
	Actual    *int `json:"actual,omitempty"` // of the answer, where that is counted
	Max       int  `json:"max,omitempty"`    // none: there is no bound
}

// extensions are the explanations of an operation up to now.
func (o *operation) extensions(ctx context.Context) []byte {
	var out struct {
		Plan    json.RawMessage `json:"queryPlan,omitempty"`
		Timings json.RawMessage `json:"timings,omitempty"`
		Cost    *costs          `json:"cost,omitempty"`
	}
	if o.explains.cost && o.g.costs != nil {
		out.Cost = &costs{Estimated: o.cost, Max: o.g.budget.of(o.input.Identity)}
		if o.meter != nil && !o.explains.only {
			out.Cost.Actual = &o.actual
		}
	}
	if o.explains.plan {
		out.Plan = o.input.Plan.Explained()
	}
	if account := telemetry.Of(ctx); o.explains.timings && account != nil {
		out.Timings = account.MarshalTimings()
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic("router: plans and timings are JSON: " + err.Error())
	}
	return text
}

// unexecuted is the answer of an operation of which only the plan is wanted.
type unexecuted struct{ extensions []byte }

// AppendJSON implements serve.Answer.
func (u *unexecuted) AppendJSON(dst []byte) []byte {
	return withExtensions(append(dst, `{"data":null}`...), u.extensions)
}

// HasErrors implements serve.Answer.
func (u *unexecuted) HasErrors() bool { return false }

// HasNext implements serve.Answer.
func (u *unexecuted) HasNext() bool { return false }

// Release implements serve.Answer.
func (u *unexecuted) Release() {}
