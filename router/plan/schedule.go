package plan

import "slices"

// call is one request: the entities entries of one part, epoch and stage for one subgraph. Each root entry is a request
// of its own.
type callKey struct {
	part  *part
	epoch int
	graph int
	stage int
}

// schedule is which entries are done at which stage: as few calls as it finds in no more stages than there are.
//
// Entries start at the earliest stage that their dependencies allow. First each moves as late as it may to a stage where
// its subgraph is called anyway; then calls are emptied into later ones where what depends on them can be pushed along.
type schedule struct {
	entries    []*entry
	dependents map[*entry][]*entry
	last       map[int]int // stage, by epoch
	calls      map[callKey]int
	undo       []moved
}

type moved struct {
	e    *entry
	from int
}

func (b *builder) schedule() {
	s := &schedule{dependents: map[*entry][]*entry{}, last: map[int]int{}, calls: map[callKey]int{}}
	for _, e := range b.entries {
		s.last[e.epoch] = max(s.last[e.epoch], e.stage)
		for _, d := range e.deps {
			s.dependents[d] = append(s.dependents[d], e)
		}
		if e.reps != nil {
			s.entries = append(s.entries, e)
			s.calls[callOf(e)]++
		}
	}
	if len(s.entries) < 2 || len(s.calls) < 2 {
		return
	}
	slices.SortStableFunc(s.entries, func(x, y *entry) int { return y.stage - x.stage })
	s.postpone()
	for s.emptyOne() {
	}
}

func callOf(e *entry) callKey { return callKey{e.part, e.epoch, int(e.graph), e.stage} }

func (s *schedule) move(e *entry, to int) {
	s.undo = append(s.undo, moved{e, e.stage})
	s.place(e, to)
}

func (s *schedule) place(e *entry, to int) {
	k := callOf(e)
	if s.calls[k]--; s.calls[k] == 0 {
		delete(s.calls, k)
	}
	e.stage = to
	s.calls[callOf(e)]++
}

// limit is the latest stage that does not make others wait.
func (s *schedule) limit(e *entry) int {
	limit := s.last[e.epoch]
	for _, d := range s.dependents[e] {
		limit = min(limit, d.stage-1)
	}
	return limit
}

func (s *schedule) postpone() {
	for _, e := range s.entries {
		k := callOf(e)
		for k.stage = s.limit(e); k.stage > e.stage; k.stage-- {
			if s.calls[k] > 0 {
				s.place(e, k.stage)
				break
			}
		}
	}
}

// emptyOne moves all of one call into a later one of the same subgraph, if that saves a call.
func (s *schedule) emptyOne() bool {
	keys := make([]callKey, 0, len(s.calls))
	for _, e := range s.entries {
		if k := callOf(e); !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	for _, from := range keys {
		for _, to := range keys {
			if to.stage <= from.stage || to.part != from.part || to.epoch != from.epoch || to.graph != from.graph {
				continue
			}
			before := len(s.calls)
			s.undo = s.undo[:0]
			if s.moveAll(from, to.stage) && len(s.calls) < before {
				return true
			}
			s.back(0)
		}
	}
	return false
}

// back undoes moves down to a number of them.
func (s *schedule) back(to int) {
	for i := len(s.undo) - 1; i >= to; i-- {
		s.place(s.undo[i].e, s.undo[i].from)
	}
	s.undo = s.undo[:to]
}

func (s *schedule) moveAll(from callKey, stage int) bool {
	for _, e := range s.entries {
		if callOf(e) == from && !s.push(e, stage) {
			return false
		}
	}
	return true
}

// push moves an entry to a later stage, and what depends on it after that. When it cannot, nothing has moved.
func (s *schedule) push(e *entry, stage int) bool {
	if stage > s.last[e.epoch] || e.reps == nil {
		return false
	}
	before := len(s.undo)
	s.move(e, stage)
	for _, d := range s.dependents[e] {
		if d.stage > stage {
			continue
		}
		k := callOf(d)
		for k.stage = stage + 1; k.stage < s.last[d.epoch] && s.calls[k] == 0; k.stage++ {
		}
		if d.reps == nil || d.epoch != e.epoch || !s.push(d, k.stage) && !s.push(d, stage+1) {
			s.back(before)
			return false
		}
	}
	return true
}
