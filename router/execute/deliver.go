package execute

import (
	"context"
	"io"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"bourse/router/plan"
)

// primary stands where the index of a deferred part may stand.
const primary = -1

// pending is a deferred part of one object that the client knows of and still waits for.
type pending struct {
	part   int
	record uint32
	path   []segment
	done   bool
}

// Delivery is an answer that comes in parts: the primary answer, then what is deferred as it gets ready. It is not safe for
// concurrent use, and whoever has it must Close it.
//
//	fetches ──► each once those that it comes after are read ──► a part whose fetches are done, after its parent ──► Payload
//
// Only Next touches the answer in the making; fetches run on goroutines of their own and hand over what came back.
type Delivery struct {
	run       *run
	cancel    context.CancelFunc
	calls     []call // by plan.Fetch.Index
	waits     []int  // fetches that must be read before this one starts
	unlocks   [][]*plan.Fetch
	needs     [][]int  // parts that need a fetch
	left      []int    // fetches that a part still needs, the primary answer first
	delivered []bool   // parts, likewise
	answers   chan int // indexes of calls that have come back
	running   int
	staged    bool // the primary answer is still to be run stage by stage
	ended     bool
}

// Payload is one message of a Delivery.
type Payload struct {
	text    []byte
	errors  bool
	hasNext bool
}

// AppendJSON appends the message. The first is a response; hasNext in it says that more comes. The others have what
// is deferred under incremental, as the specification draft of 2022-08-24 has it.
func (p *Payload) AppendJSON(dst []byte) []byte { return append(dst, p.text...) }

// HasErrors says whether there are errors in the message.
func (p *Payload) HasErrors() bool { return p.errors }

// HasNext says whether more comes.
func (p *Payload) HasNext() bool { return p.hasNext }

// Release does nothing: the memory belongs to the Delivery.
func (p *Payload) Release() {}

// Deliver starts a query or a mutation whose plan may have deferred parts; where it has none, it runs it. The Delivery lasts
// no longer than ctx.
func (e *Executor) Deliver(ctx context.Context, in Input) *Delivery {
	ctx, cancel := context.WithCancel(ctx)
	d := &Delivery{run: e.start(ctx, in), cancel: cancel}
	fetches := slices.Concat(in.Plan.Stages...)
	for _, part := range in.Plan.Deferred {
		fetches = append(fetches, slices.Concat(part.Stages...)...)
	}
	d.calls, d.waits = make([]call, len(fetches)), make([]int, len(fetches))
	d.unlocks, d.needs = make([][]*plan.Fetch, len(fetches)), make([][]int, len(fetches))
	d.left, d.delivered = make([]int, 1+len(in.Plan.Deferred)), make([]bool, 1+len(in.Plan.Deferred))
	d.answers = make(chan int, len(fetches)) // nobody waits to hand over
	need := func(part int, f *plan.Fetch) {
		d.needs[f.Index] = append(d.needs[f.Index], part+1)
		d.left[part+1]++
	}
	for _, f := range fetches {
		need(f.Part, f)
		d.waits[f.Index] = len(f.After)
		for _, before := range f.After {
			d.unlocks[before.Index] = append(d.unlocks[before.Index], f)
		}
	}
	for i, part := range in.Plan.Deferred {
		for _, f := range part.Depends {
			need(i, f)
		}
	}
	// Without deferred parts there is no order but that of stages; of a mutation everything follows the primary answer.
	d.staged = len(in.Plan.Deferred) == 0 || in.Plan.Operation() == ast.Mutation
	for _, f := range fetches {
		if len(f.After) == 0 && (!d.staged || f.Part != primary) {
			d.launch(f)
		}
	}
	return d
}

// runStages brings the primary answer stage by stage, to its end.
func (d *Delivery) runStages() {
	d.staged = false
	d.run.stages()
	for _, f := range slices.Concat(d.run.in.Plan.Stages...) {
		d.done(f)
	}
}

// launch starts a fetch. One that is not wanted or has nothing to ask is done at once.
func (d *Delivery) launch(f *plan.Fetch) {
	c := &d.calls[f.Index]
	if !d.run.wants(f.Cond) || !d.run.prepare(c, f) {
		d.done(f)
		return
	}
	d.running++
	go func() {
		d.run.fetch(c)
		d.answers <- f.Index
	}()
}

func (d *Delivery) done(f *plan.Fetch) {
	for _, part := range d.needs[f.Index] {
		d.left[part]--
	}
	for _, next := range d.unlocks[f.Index] {
		if d.waits[next.Index]--; d.waits[next.Index] == 0 {
			d.launch(next)
		}
	}
}

// Next waits for the next message. It returns io.EOF after the last one, or the error of ctx, which bounds the waiting
// alone: the Delivery goes on. The Payload is valid until the next call.
func (d *Delivery) Next(ctx context.Context) (*Payload, error) {
	if d.ended {
		return nil, io.EOF
	}
	if d.staged {
		d.runStages()
	}
	for {
		if p := d.ready(); p != nil {
			d.ended = !p.hasNext
			return p, nil
		}
		select {
		case i := <-d.answers:
			d.running--
			d.take(&d.calls[i])
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take reads an answer and starts what waited for it.
func (d *Delivery) take(c *call) {
	d.run.part = c.fetch.Part
	d.run.read(c)
	c.response = nil
	d.done(c.fetch)
}

// ready is what can be delivered now; nil when that is nothing.
func (d *Delivery) ready() *Payload {
	if !d.delivered[0] {
		if d.left[0] > 0 {
			return nil
		}
		return d.printPrimary()
	}
	return d.printDeferred()
}

func (d *Delivery) printPrimary() *Payload {
	r := d.run
	root := pending{part: primary, record: r.root}
	r.out = append(r.out[:0], '{')
	p := &Payload{errors: d.print(root, r.in.Plan.Output)}
	d.delivered[0] = true
	if p.hasNext = len(r.pending) > 0; p.hasNext {
		r.out = append(r.out, `,"hasNext":true`...)
	}
	r.out = append(r.out, '}')
	p.text = r.out
	return p
}

// printDeferred prints every part that is ready, with what becomes deliverable by it.
func (d *Delivery) printDeferred() *Payload {
	r := d.run
	p := &Payload{}
	r.out = append(r.out[:0], `{"incremental":[`...)
	start := len(r.out)
	for i := 0; i < len(r.pending); i++ {
		next := r.pending[i]
		part := r.in.Plan.Deferred[next.part]
		if d.left[next.part+1] > 0 {
			continue
		}
		if len(r.out) > start {
			r.out = append(r.out, ',')
		}
		r.out = append(r.out, '{')
		p.errors = d.print(next, part.Output) || p.errors
		r.out = appendPath(append(r.out, `,"path":`...), next.path)
		if part.Label != nil {
			r.out = append(append(r.out, `,"label":`...), quote(*part.Label)...)
		}
		r.out = append(r.out, '}')
		r.pending[i].done = true
	}
	if len(r.out) == start {
		return nil
	}
	r.pending = slices.DeleteFunc(r.pending, func(w pending) bool { return w.done })
	p.hasNext = len(r.pending) > 0
	r.out = append(r.out, `],"hasNext":`...)
	if p.hasNext {
		r.out = append(r.out, "true}"...)
	} else {
		r.out = append(r.out, "false}"...)
	}
	p.text = r.out
	return p
}

// print prints data and errors of one object's part and says whether there are errors.
func (d *Delivery) print(w pending, o *plan.Object) bool {
	r := d.run
	r.part, r.path = w.part, append(r.path[:0], w.path...)
	v := value{kind: object, a: w.record}
	r.out = append(r.out, `"data":`...)
	r.data(v, o)
	first := true
	for i := range r.errs {
		e := &r.errs[i]
		if e.told || !r.belongs(e, w, v, o) {
			continue
		}
		e.told = true
		if first {
			r.out = append(r.out, `,"errors":[`...)
		} else {
			r.out = append(r.out, ',')
		}
		first = false
		r.out = append(r.out, e.text...)
	}
	if !first {
		r.out = append(r.out, ']')
	}
	return !first
}

// belongs says whether an error is told with a part of an object: it came up on the way to the part, and is about
// something that the client asked for in it, or about what lies above.
func (r *run) belongs(e *responseError, w pending, v value, o *plan.Object) bool {
	if !r.concerns(e.part) {
		return false
	}
	n := min(len(e.path), len(w.path))
	if !slices.Equal(e.path[:n], w.path[:n]) {
		return false
	}
	if n < len(w.path) {
		return e.part == w.part
	}
	return r.asked(v, o, e.path[n:])
}

// concerns says whether something of the given part matters to the part being printed: it is that part or one that it
// is deferred in.
func (r *run) concerns(part int) bool {
	for p := r.part; p != part; p = r.in.Plan.Deferred[p].Parent {
		if p == primary {
			return false
		}
	}
	return true
}

// Close ends what still runs, waits for it and gives the memory back.
func (d *Delivery) Close() {
	if d.run == nil {
		return
	}
	d.ended = true
	d.cancel()
	for ; d.running > 0; d.running-- {
		c := &d.calls[<-d.answers]
		if c.response != nil && c.response.Release != nil {
			c.response.Release()
		}
	}
	d.run.end()
	d.run = nil
}
