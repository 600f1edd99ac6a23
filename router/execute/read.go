package execute

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"bourse/router/plan"
)

// read takes a subgraph's answer into the arena. An answer that cannot be used leaves its fields absent and an
// error at each place.
func (r *run) read(c *call) {
	if len(c.entries) == 0 { // a subscription event
		c.entries = []called{{targets: []target{{record: r.root}}}}
	}
	if c.err != nil {
		code, what := codeHTTP, "could not be reached"
		var known *FetchError
		if errors.As(c.err, &known) {
			code, what = known.Code, known.What
		} else if errors.Is(c.err, context.DeadlineExceeded) {
			what = "did not answer in time"
		}
		r.fetchFailed(c, code, what, c.err)
		return
	}
	if release := c.response.Release; release != nil {
		r.after = append(r.after, release)
	}
	a, err := r.readAnswer(c)
	switch bad := c.response.Status < 200 || c.response.Status > 299; {
	case bad && (err != nil || !a.data && a.errors == nil):
		r.fetchFailed(c, codeHTTP, fmt.Sprintf("answered with HTTP status %d", c.response.Status), errors.New(http.StatusText(c.response.Status)))
		return
	case err != nil:
		r.fetchFailed(c, codeMalformed, "gave an answer that cannot be read", err)
		return
	case a.errors == nil && (!a.data || !c.complete()):
		r.fetchFailed(c, codeMalformed, "gave an answer without data", errors.New("neither data nor errors"))
		return
	}
	if a.errors != nil {
		r.subgraphErrors(c, a.errors)
	}
}

// complete says whether every entry that sent representations got a list of entities.
func (c *call) complete() bool {
	for i := range c.entries {
		if c.entries[i].count > 0 && !c.entries[i].read {
			return false
		}
	}
	return true
}

// answer is what stands at the top of a subgraph's answer.
type answer struct {
	data   bool // there is a data entry that is not null
	errors []byte
}

func (r *run) readAnswer(c *call) (answer, error) {
	var a answer
	rd := &reader{scanner: scanner{b: c.response.Body}, arena: &r.arena}
	rd.body = r.arena.addBody(c.response.Body)
	if rd.peek() != '{' {
		return a, errJSON
	}
	more, err := rd.open('}')
	for ; more && err == nil; more, err = rd.next('}') {
		k, err := rd.key()
		if err != nil {
			return a, err
		}
		switch string(k) {
		case "data":
			if rd.peek() != '{' {
				if err := rd.literal("null"); err != nil {
					return a, err
				}
				continue
			}
			if a.data {
				return a, errors.New("data occurs twice")
			}
			a.data = true
			if err := r.readData(rd, c); err != nil {
				return a, err
			}
		case "errors":
			rd.space()
			start := rd.i
			if err := rd.skip(); err != nil {
				return a, err
			}
			if text := rd.b[start:rd.i]; text[0] != 'n' && string(bytes.Trim(text, "[] \t\r\n")) != "" {
				a.errors = text
			}
		default:
			if err := rd.skip(); err != nil {
				return a, err
			}
		}
	}
	if err != nil {
		return a, err
	}
	return a, rd.end()
}

func (r *run) readData(rd *reader, c *call) error {
	if first := c.fetch.Entries[0]; first.Variable == "" {
		return r.readRoot(rd, first, c.entries[0].targets)
	}
	more, err := rd.open('}')
	for ; more && err == nil; more, err = rd.next('}') {
		k, err := rd.key()
		if err != nil {
			return err
		}
		i := entryOf(c.fetch, k)
		if i < 0 || rd.peek() != '[' {
			if err := rd.skip(); err != nil {
				return err
			}
			continue
		}
		if err := r.readEntities(rd, c.fetch.Entries[i], &c.entries[i]); err != nil {
			return err
		}
	}
	return err
}

// readRoot reads a root selection into its first record and shares it with the others.
func (r *run) readRoot(rd *reader, e *plan.Entry, targets []target) error {
	if err := rd.object(e.Selection, targets[0].record); err != nil {
		return err
	}
	for _, t := range targets[1:] {
		r.arena.share(e.Selection, targets[0].record, t.record)
	}
	return nil
}

func entryOf(f *plan.Fetch, alias []byte) int {
	for i, e := range f.Entries {
		if e.Alias == string(alias) {
			return i
		}
	}
	return -1
}

// readEntities reads each entity into the first record of its representation and shares it with the others.
func (r *run) readEntities(rd *reader, e *plan.Entry, ce *called) error {
	n, at := 0, 0
	more, err := rd.open(']')
	for ; more && err == nil; more, err = rd.next(']') {
		for at < len(ce.targets) && int(ce.targets[at].rep) != n {
			at++ // targets of one representation follow its first in any order; firsts are in order
		}
		if at == len(ce.targets) {
			return fmt.Errorf("more than %d entities", ce.count)
		}
		if rd.peek() == '{' {
			err = rd.object(e.Selection, ce.targets[at].record)
		} else {
			err = rd.literal("null")
		}
		if err != nil {
			return err
		}
		n++
	}
	if err != nil {
		return err
	}
	if n != ce.count {
		return fmt.Errorf("%d entities for %d representations", n, ce.count)
	}
	ce.read = true
	r.shareEntities(e, ce)
	return nil
}

func (r *run) shareEntities(e *plan.Entry, ce *called) {
	if len(ce.targets) == ce.count {
		return
	}
	firsts := make([]uint32, ce.count)
	next := uint32(0)
	for _, t := range ce.targets {
		if t.rep == next {
			firsts[next] = t.record
			next++
			continue
		}
		r.arena.share(e.Selection, firsts[t.rep], t.record)
	}
}
