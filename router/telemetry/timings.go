package telemetry

import (
	"encoding/json"
	"time"
)

// Timings are where the time of an operation went, for those who may know; all times are in microseconds.
type Timings struct {
	Parse    int64         `json:"parse"`
	Validate int64         `json:"validate"`
	Plan     int64         `json:"plan"`
	Cached   bool          `json:"planCached"`
	Fetches  []FetchTiming `json:"fetches"`
	Omitted  int           `json:"omitted,omitempty"` // fetches beyond those that are kept
	Print    int64         `json:"print"`             // what was left after the last fetch: joining and printing
	Total    int64         `json:"total"`
}

// FetchTiming is one subgraph request.
type FetchTiming struct {
	Fetch    int    `json:"fetch"` // its id in the plan
	Subgraph string `json:"subgraph"`
	Start    int64  `json:"start"` // after the operation began
	Duration int64  `json:"duration"`
	Status   int    `json:"status,omitempty"` // none: there was no answer
	Failed   bool   `json:"failed,omitempty"`
	Sent     int    `json:"sent"`
	Received int    `json:"received"`
	Entities int    `json:"entities,omitempty"`
	Retries  int    `json:"retries,omitempty"`
	Hedged   bool   `json:"hedged,omitempty"`
	Shared   bool   `json:"shared,omitempty"` // an equal request answered it
	Cached   bool   `json:"cached,omitempty"`
}

// Timings says where the time went up to now.
func (o *Operation) Timings() Timings {
	now := time.Since(o.began)
	p := &o.prepared
	t := Timings{
		Parse: p.Parse.Microseconds(), Validate: p.Validate.Microseconds(), Plan: p.Planning.Microseconds(), Cached: p.Cached,
		Fetches: []FetchTiming{}, Total: now.Microseconds(),
	}
	fetches, all := o.fetches.done()
	t.Omitted = all - len(fetches)
	last := p.Parse + p.Validate + p.Planning
	for _, f := range fetches {
		last = max(last, f.Start+f.Duration)
		t.Fetches = append(t.Fetches, FetchTiming{
			Fetch: f.Index, Subgraph: f.Subgraph, Start: f.Start.Microseconds(), Duration: f.Duration.Microseconds(), Status: f.Status, Failed: f.Failed,
			Sent: f.Sent, Received: f.Received, Entities: f.Entities, Retries: int(f.retries.Load()), Hedged: f.hedged.Load(),
			Shared: f.shared.Load(), Cached: f.cached.Load(),
		})
	}
	t.Print = max(now-last, 0).Microseconds()
	return t
}

// MarshalTimings is Timings as JSON.
func (o *Operation) MarshalTimings() json.RawMessage {
	text, err := json.Marshal(o.Timings())
	if err != nil {
		panic("telemetry: timings are numbers and names: " + err.Error())
	}
	return text
}
