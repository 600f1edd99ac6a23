package remote

import (
	"time"

	"bourse/engine/fault"
	"bourse/engine/journal"
	"bourse/engine/venue"
)

const (
	// BeatEvery is how often a leader says that it is there.
	BeatEvery = 200 * time.Millisecond
	// maxPayload bounds the batches that are sent, in bytes of their payload. Followers read larger
	// ones from the journal.
	maxPayload = 64 << 10
	// forgotten is how long after its last Hello a follower is sent batches.
	forgotten = 5 * time.Second
	// maxFollowers bounds whom a leader knows by name; it only counts whether there is any.
	maxFollowers = 1024
	// remembered is how long after its deadline an answered command is remembered: its repeats are
	// refused for being late from then on, however the clocks differ.
	remembered = 5 * time.Second
)

// Server is the leading side, for one epoch: it has each command executed at most once and answers
// those who ask. It is not safe for concurrent use.
type Server struct {
	node  Node
	epoch uint64
	most  int

	commands  map[command]*execution
	order     []command // by their arrival, for forgetting
	running   int
	followers map[Node]time.Time
	beat      time.Time

	outgoing []Message
	begun    []Execution
}

type command struct {
	from   Node
	number uint64
}

type execution struct {
	attempt  uint32 // the last that was seen
	deadline time.Time
	running  bool
	doubtful bool // an execution ended without anybody knowing how
	answer   Answer
}

// Execution is a command that the leader is to execute; Server.Done takes its outcome.
type Execution struct {
	From     Node
	Number   uint64
	Deadline time.Time
	Command  []byte
}

// NewServer returns the server of a term, which executes at most so many commands at once and
// remembers four times as many.
func NewServer(node Node, epoch uint64, most int) *Server {
	return &Server{node: node, epoch: epoch, most: most, commands: map[command]*execution{}, followers: map[Node]time.Time{}}
}

// Ask hears a question. A command that is new is begun; one that is known is answered as before, or
// begun again where a new attempt follows an answer that settled nothing.
func (s *Server) Ask(now time.Time, a Ask) {
	if a.Epoch != s.epoch {
		return // meant for another leader; its sender learns of this one from the next beat
	}
	key := command{a.From, a.Number}
	e := s.commands[key]
	again := e != nil && !e.running && a.Attempt > e.attempt && !e.answer.final()
	if e != nil {
		e.attempt = max(e.attempt, a.Attempt)
		if e.running {
			return
		}
		if !again {
			s.answer(e, e.answer)
			return
		}
	}
	deadline := time.Unix(0, a.Deadline)
	if latest := now.Add(2 * Lifetime); deadline.After(latest) {
		deadline = latest
	}
	if e == nil {
		e = &execution{attempt: a.Attempt, deadline: deadline}
		s.commands[key] = e
		s.order = append(s.order, key)
		s.forget(now)
	}
	e.answer = Answer{To: a.From, Number: a.Number, Epoch: s.epoch}
	switch {
	case !now.Before(deadline):
		s.refuse(e, errExpired)
	case s.running >= s.most:
		s.refuse(e, errFull)
	default:
		e.running = true
		s.running++
		s.begun = append(s.begun, Execution{From: a.From, Number: a.Number, Deadline: deadline, Command: a.Command})
	}
}

var errDoubtful = fault.New(fault.OutcomeUnknown, "the journal did not acknowledge the command; ask again with the same key")

var errExpired = fault.New(fault.Unavailable, "the command came too late; ask again with the same key")

// final reports whether a new attempt would be answered in the same way.
func (a *Answer) final() bool {
	if a.Refusal == nil {
		return true
	}
	switch a.Refusal.Code {
	case fault.Unavailable, fault.Overloaded, fault.OutcomeUnknown:
		return false
	}
	return true
}

// refuse answers with an error. That nothing happened this time does not say what happened the last.
func (s *Server) refuse(e *execution, err error) {
	a := e.answer
	a.Refusal = refusalOf(err)
	switch a.Refusal.Code {
	case fault.OutcomeUnknown:
		e.doubtful = true
	case fault.Unavailable, fault.Overloaded:
		if e.doubtful {
			a.Refusal = refusalOf(errDoubtful)
		}
	}
	s.answer(e, a)
}

func (s *Server) answer(e *execution, a Answer) {
	a.Attempt = e.attempt
	e.answer = a
	s.outgoing = append(s.outgoing, a)
}

// Done takes the outcome of an Execution.
func (s *Server) Done(from Node, number uint64, receipt venue.Receipt, err error) {
	e := s.commands[command{from, number}]
	if e == nil || !e.running {
		return
	}
	e.running = false
	s.running--
	if err != nil {
		s.refuse(e, err)
		return
	}
	a := e.answer
	a.Receipt = &receipt
	s.answer(e, a)
}

// forget drops the oldest commands that cannot be executed any more, and those beyond what a server
// remembers. One that runs is kept, and looked at again later.
func (s *Server) forget(now time.Time) {
	for range len(s.order) {
		key := s.order[0]
		e := s.commands[key]
		if now.Before(e.deadline.Add(remembered)) && len(s.order) <= 4*s.most {
			return
		}
		s.order = s.order[1:]
		if e.running {
			s.order = append(s.order, key)
		} else {
			delete(s.commands, key)
		}
	}
}

// Hello hears of a follower, and greets it.
func (s *Server) Hello(now time.Time, h Hello, head uint64) {
	if h.From == s.node {
		return
	}
	if _, known := s.followers[h.From]; !known {
		if len(s.followers) >= maxFollowers {
			return
		}
		s.tell(now, head)
	}
	s.followers[h.From] = now
}

// Followed reports whether anybody wants to hear what is committed.
func (s *Server) Followed() bool { return len(s.followers) > 0 }

// Committed tells the followers of a batch. The message keeps the payload.
func (s *Server) Committed(now time.Time, b journal.Batch) {
	switch {
	case !s.Followed():
	case len(b.Payload) > maxPayload:
		s.tell(now, b.Last)
	default:
		s.outgoing = append(s.outgoing, Committed{b})
	}
}

// Tick lets time pass. Call it every 50 ms or so, and once when the term begins.
func (s *Server) Tick(now time.Time, head uint64) {
	for node, heard := range s.followers {
		if now.Sub(heard) > forgotten {
			delete(s.followers, node)
		}
	}
	s.forget(now)
	if now.Sub(s.beat) >= BeatEvery {
		s.tell(now, head)
	}
}

func (s *Server) tell(now time.Time, head uint64) {
	s.beat = now
	s.outgoing = append(s.outgoing, Beat{From: s.node, Epoch: s.epoch, Head: head})
}

// Running is how many commands of others are being executed.
func (s *Server) Running() int { return s.running }

// Take returns what is to be sent and what is to be executed, in this order, since the last call.
func (s *Server) Take() ([]Message, []Execution) {
	out, begun := s.outgoing, s.begun
	s.outgoing, s.begun = nil, nil
	return out, begun
}
