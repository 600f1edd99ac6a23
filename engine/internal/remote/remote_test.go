package remote

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"bourse/engine/fault"
	"bourse/engine/journal"
	"bourse/engine/venue"
)

var epoch0 = time.Unix(1_700_000_000, 0)

// stage is some followers, the leaders of some terms, and a network between them that loses, doubles
// and delays. What is committed stands in effects, by the command's key.
type stage struct {
	t       *rapid.T
	random  *rand.Rand
	now     time.Time
	nodes   []Node
	clients map[Node]*Client
	servers []*Server // the last one leads; the others do not know that they do not
	wire    []Message
	loss    int // percent

	running  []execution0
	effects  map[string]venue.Sequence
	keys     map[Node]map[uint64]string
	outcomes map[string]Settlement
}

type execution0 struct {
	server int
	Execution
}

func (s *stage) send(messages []Message) {
	for _, m := range messages {
		data, err := Encode(m)
		if err != nil {
			s.t.Fatal(err)
		}
		if m, err = Decode(data); err != nil {
			s.t.Fatal(err)
		}
		switch roll := s.random.IntN(100); {
		case roll < s.loss:
		case roll < s.loss+10:
			s.wire = append(s.wire, m, m)
		default:
			s.wire = append(s.wire, m)
		}
	}
}

// deliver takes any message from the wire to everyone who may read it.
func (s *stage) deliver() {
	if len(s.wire) == 0 {
		return
	}
	at := s.random.IntN(min(len(s.wire), 8))
	m := s.wire[at]
	s.wire = append(s.wire[:at], s.wire[at+1:]...)
	switch m := m.(type) {
	case Ask:
		for _, server := range s.servers {
			server.Ask(s.now, m)
		}
	case Answer:
		s.clients[m.To].Answer(s.now, m)
	case Beat:
		for _, node := range s.nodes {
			s.clients[node].Beat(s.now, m)
		}
	}
}

// execute ends a running command: committed or not, known or not, and never by a deposed leader.
func (s *stage) execute() {
	if len(s.running) == 0 {
		return
	}
	at := s.random.IntN(len(s.running))
	e := s.running[at]
	s.running = append(s.running[:at], s.running[at+1:]...)
	key := string(e.Command)
	leads := e.server == len(s.servers)-1
	roll := s.random.IntN(100)
	var receipt venue.Receipt
	var err error
	switch {
	case roll < 15 || !leads || !s.now.Before(e.Deadline):
		err = fault.New(fault.Unavailable, "down")
	case roll < 20:
		err = fault.New(fault.OutcomeUnknown, "not written, which nobody knows")
	default:
		if s.effects[key] == 0 {
			s.effects[key] = venue.Sequence(len(s.effects) + 1)
		}
		receipt.Sequence = s.effects[key]
		if roll < 30 {
			receipt, err = venue.Receipt{}, fault.New(fault.OutcomeUnknown, "written, which nobody knows")
		}
	}
	s.servers[e.server].Done(e.From, e.Number, receipt, err)
}

func (s *stage) collect() {
	for _, node := range s.nodes {
		c := s.clients[node]
		out, settled := c.Take()
		for _, m := range out {
			if ask, ok := m.(Ask); ok && s.random.IntN(20) == 0 {
				c.Undelivered(s.now, ask)
				continue
			}
			s.send([]Message{m})
		}
		for _, end := range settled {
			key := s.keys[node][end.Number]
			if _, twice := s.outcomes[key]; twice {
				s.t.Fatalf("%s is settled twice", key)
			}
			s.outcomes[key] = end
		}
	}
	for i, server := range s.servers {
		out, begun := server.Take()
		s.send(out)
		for _, e := range begun {
			s.running = append(s.running, execution0{i, e})
		}
	}
}

func (s *stage) tick() {
	s.now = s.now.Add(time.Duration(1+s.random.IntN(100)) * time.Millisecond)
	for _, node := range s.nodes {
		s.clients[node].Tick(s.now)
	}
	for _, server := range s.servers {
		server.Tick(s.now, 0)
	}
}

// Whatever the network does and whoever leads: a receipt is of an effect, UNAVAILABLE and OVERLOADED of none, and
// every command is settled by its deadline.
func TestClientsAreToldTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		s := &stage{
			t: t, random: rand.New(rand.NewPCG(seed, 1)), now: epoch0, loss: rapid.IntRange(0, 40).Draw(t, "loss"),
			clients: map[Node]*Client{}, effects: map[string]venue.Sequence{},
			keys: map[Node]map[uint64]string{}, outcomes: map[string]Settlement{},
		}
		for i := range 3 {
			node := Node(fmt.Sprint("n", i))
			s.nodes = append(s.nodes, node)
			s.clients[node], s.keys[node] = NewClient(node, 1000), map[uint64]string{}
		}
		const commands = 60
		submitted := 0
		for step := 0; submitted < commands || len(s.outcomes) < commands; step++ {
			if step > 20_000 {
				t.Fatalf("%d of %d commands are settled in the end", len(s.outcomes), submitted)
			}
			switch s.random.IntN(8) {
			case 0:
				if submitted < commands {
					node := Node(fmt.Sprint("n", s.random.IntN(3)))
					key := fmt.Sprint("k", submitted)
					submitted++
					number, err := s.clients[node].Submit(s.now, s.now.Add(time.Duration(s.random.IntN(12_000))*time.Millisecond), []byte(key))
					if err != nil {
						t.Fatal(err)
					}
					s.keys[node][number] = key
				}
			case 1:
				s.tick()
			case 2:
				if s.random.IntN(30) == 0 {
					s.servers = append(s.servers, NewServer("leader", uint64(len(s.servers)+1), 20))
				}
			case 3, 4:
				s.execute()
			default:
				s.deliver()
			}
			s.collect()
		}
		for len(s.wire)+len(s.running) > 0 { // whatever is late
			s.deliver()
			s.execute()
			for i, server := range s.servers {
				_, begun := server.Take()
				for _, e := range begun {
					s.running = append(s.running, execution0{i, e})
				}
			}
		}
		receipts := 0
		for key, end := range s.outcomes {
			effect := s.effects[key]
			switch code := fault.CodeOf(end.Err); {
			case end.Err == nil:
				receipts++
				if effect == 0 || effect != end.Receipt.Sequence {
					t.Fatalf("%s has the receipt %d and the effect %d", key, end.Receipt.Sequence, effect)
				}
			case code == fault.Unavailable || code == fault.Overloaded:
				if effect != 0 {
					t.Fatalf("%s was told that nothing happened, and it did", key)
				}
			case code != fault.OutcomeUnknown:
				t.Fatalf("%s ended with %v", key, end.Err)
			}
		}
	})
}

func TestMessagesArriveAsTheyWereSent(t *testing.T) {
	batch := journal.Seal(journal.Entry{First: 1, Last: 2, Time: 3, Payload: []byte{4, 5}}, 6, journal.Head{})
	for _, m := range []Message{
		Ask{From: "a", Number: 1, Attempt: 2, Epoch: 3, Deadline: 4, Command: []byte("{}")},
		Answer{To: "a", Number: 1, Attempt: 2, Epoch: 3, Receipt: &venue.Receipt{Sequence: 9, Repeated: true}},
		Answer{To: "a", Number: 1, Refusal: &Refusal{Code: fault.NoLiquidity, Message: "m", Details: map[string]string{"a": "b"}}},
		Hello{From: "a"},
		Beat{From: "b", Epoch: 1, Head: 2},
		Committed{batch},
	} {
		data, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		read, err := Decode(data)
		if err != nil || !reflect.DeepEqual(read, m) {
			t.Errorf("sent %+v, read %+v, %v", m, read, err)
		}
		for _, bad := range [][]byte{nil, data[:1], data[:len(data)-1], append([]byte{99}, data[1:]...)} {
			if read, err := Decode(bad); err == nil {
				t.Errorf("%q was read as %+v", bad, read)
			}
		}
	}
	changed, _ := Encode(Committed{batch})
	changed[len(changed)-5] ^= 1
	if _, err := Decode(changed); err == nil {
		t.Error("a batch that was changed on the way was taken")
	}
}

// A leader that is known to take nothing is asked again until patience ends, and only then is it said
// that nothing happened.
func TestNobodyLeads(t *testing.T) {
	c := NewClient("a", 1)
	now := epoch0
	if _, err := c.Submit(now, now.Add(time.Minute), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Submit(now, now.Add(time.Minute), nil); fault.CodeOf(err) != fault.Overloaded {
		t.Fatalf("one too many: %v", err)
	}
	for {
		now = now.Add(50 * time.Millisecond)
		c.Tick(now)
		out, settled := c.Take()
		for _, m := range out {
			if _, ok := m.(Ask); ok {
				t.Fatal("nobody was asked")
			}
		}
		if len(settled) == 1 {
			if fault.CodeOf(settled[0].Err) != fault.Unavailable || now.Sub(epoch0) < Patience || now.Sub(epoch0) > Patience+time.Second {
				t.Fatalf("after %s: %v", now.Sub(epoch0), settled[0].Err)
			}
			return
		}
	}
}

// A follower looks into the journal when a batch is missing, when it is late, and when all is quiet;
// not while it hears everything.
func TestTailLooksWhenItMust(t *testing.T) {
	var tail Tail
	now := epoch0
	step := func(d time.Duration) time.Time { now = now.Add(d); return now }
	tail.Heard(now, 5, 5)
	tail.Looked(now)
	if tail.Look(step(100*time.Millisecond), 5) {
		t.Error("looked while everything was heard")
	}
	tail.Heard(now, 6, 5)
	if tail.Look(step(lateness/2), 5) {
		t.Error("looked before the batch could arrive")
	}
	if !tail.Look(step(lateness), 5) {
		t.Error("did not look for a late batch")
	}
	tail.Looked(now)
	if tail.Look(now, 6) {
		t.Error("looked twice")
	}
	tail.Gap()
	if !tail.Look(step(lookPause), 6) {
		t.Error("did not look into a gap")
	}
	tail.Looked(now)
	if !tail.Look(step(quiet), 6) {
		t.Error("did not look into the quiet")
	}
}
