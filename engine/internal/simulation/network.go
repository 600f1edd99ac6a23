package simulation

import (
	"errors"
	"time"

	"bourse/engine/fault"
	"bourse/engine/internal/remote"
	"bourse/engine/internal/sequencer"
	"bourse/engine/journal"
	"bourse/engine/venue"
)

// latency is how long a message is on its way: mostly short, sometimes long enough to be overtaken
// by many, now and then so long that everybody has given it up.
func (w *world) latency() time.Duration {
	switch roll := w.dice.IntN(1000); {
	case w.calm || roll < 900:
		return w.between(100*time.Microsecond, 2*time.Millisecond)
	case roll < 990:
		return w.between(2*time.Millisecond, 80*time.Millisecond)
	default:
		return w.between(100*time.Millisecond, 3*time.Second)
	}
}

// send gives a message to everybody, the sender too, as a channel that all listen to does: lost,
// doubled and delayed on each way by itself.
func (p *process) send(m remote.Message) {
	data := encode(p.w, m)
	for _, to := range p.w.processes {
		copies := 1
		switch {
		case to != p && (p.apart || to.apart) || p.w.chance(15):
			p.w.count("messages lost")
			copies = 0
		case p.w.chance(30):
			p.w.count("messages doubled")
			copies = 2
		}
		for range copies {
			p.w.after(p.w.latency(), func() { to.receive(data) })
		}
	}
}

func encode(w *world, m remote.Message) []byte {
	data, err := remote.Encode(m)
	w.mustf(err == nil, "a message cannot be sent: %v", err)
	return data
}

// receive hears a message. A process that is frozen hears it when it thaws, one that is dead not.
func (p *process) receive(data []byte) {
	if !p.up {
		return
	}
	p.after(0, func() {
		m, err := remote.Decode(data)
		p.w.mustf(err == nil, "a message cannot be read: %v", err)
		if p.role != starting {
			p.hear(m)
			p.flush()
		}
	})
}

func (p *process) hear(m remote.Message) {
	now := p.steady()
	switch m := m.(type) {
	case remote.Ask:
		if p.server != nil {
			p.server.Ask(now, m)
		}
	case remote.Answer:
		if m.To == p.node {
			p.client.Answer(now, m)
		}
	case remote.Hello:
		if p.server != nil {
			p.server.Hello(now, m, p.publisher.View.Head().Sequence)
		}
	case remote.Beat:
		p.client.Beat(now, m)
		if p.role == leading && m.Epoch > p.session.term {
			p.w.count("leaders that heard of another")
			p.fail(journal.ErrFenced)
		}
		p.tail.Heard(now, m.Head, uint64(p.publisher.View.Sequence()))
	case remote.Committed:
		p.follow(now, m.Batch)
	}
}

// follow shows what another process committed.
func (p *process) follow(now time.Time, b journal.Batch) {
	if p.role != following && p.role != seeking {
		return
	}
	if err := p.publisher.Follow(&b); err != nil {
		if !errors.Is(err, sequencer.ErrGap) {
			p.w.count("batches that were not trusted")
		}
		p.w.count("gaps")
		p.tail.Gap()
		return
	}
	p.tail.Heard(now, b.Last, uint64(p.publisher.View.Sequence()))
}

// flush carries out what the protocol wants.
func (p *process) flush() {
	out, settled := p.client.Take()
	for _, m := range out {
		p.send(m)
	}
	for _, s := range settled {
		answer := p.waiting[s.Number]
		delete(p.waiting, s.Number)
		answer(s.Receipt, s.Err)
	}
	if p.server != nil {
		p.flushServer(p.server)
	}
}

// flushServer does so for one term; that of a term that is over only answers.
func (p *process) flushServer(s *remote.Server) {
	out, begun := s.Take()
	for _, m := range out {
		p.send(m)
	}
	for _, e := range begun {
		if p.role == leading && p.server == s {
			p.execute(s, e)
		} else {
			s.Done(e.From, e.Number, venue.Receipt{}, errOver)
		}
	}
	if len(begun) > 0 {
		p.flushServer(s)
	}
}

var errOver = fault.New(fault.Unavailable, "this process leads no more")
