package remote

import (
	"encoding/json"
	"errors"
	"fmt"

	"bourse/engine/fault"
	"bourse/engine/journal"
	"bourse/engine/venue"
)

// Node names a process for as long as it lives; a process that starts again has another name.
type Node string

// Message is one of Ask, Answer, Hello, Beat and Committed. A message is not changed once made.
type Message interface{ kind() byte }

// Ask wants a command executed by the leader of an epoch, before a deadline.
type Ask struct {
	From    Node   `json:"from"`
	Number  uint64 `json:"number"`  // of the command, within From
	Attempt uint32 `json:"attempt"` // of the same command, from 1
	Epoch   uint64 `json:"epoch"`   // who is asked
	// Deadline is Unix time in nanoseconds: no later is the command executed.
	Deadline int64  `json:"deadline"`
	Command  []byte `json:"command"` // as venue.MarshalCommand writes it
}

// Answer is what became of an Ask. Its attempt is the last one that the leader had seen.
type Answer struct {
	To      Node           `json:"to"`
	Number  uint64         `json:"number"`
	Attempt uint32         `json:"attempt"`
	Epoch   uint64         `json:"epoch"`
	Receipt *venue.Receipt `json:"receipt,omitempty"`
	Refusal *Refusal       `json:"refusal,omitempty"` // when there is no receipt
}

// Refusal is a fault.Error on its way.
type Refusal struct {
	Code    fault.Code        `json:"code"`
	Message string            `json:"message"`
	Details map[string]string `json:"details,omitempty"`
}

// Hello says that a follower is there, and wants to hear what is committed.
type Hello struct {
	From Node `json:"from"`
}

// Beat says that a process leads, and where the journal ends.
type Beat struct {
	From  Node   `json:"from"`
	Epoch uint64 `json:"epoch"`
	Head  uint64 `json:"head"`
}

// Committed is a batch that the journal has.
type Committed struct {
	Batch journal.Batch
}

const (
	kindAsk byte = 1 + iota
	kindAnswer
	kindHello
	kindBeat
	kindCommitted
)

func (Ask) kind() byte       { return kindAsk }
func (Answer) kind() byte    { return kindAnswer }
func (Hello) kind() byte     { return kindHello }
func (Beat) kind() byte      { return kindBeat }
func (Committed) kind() byte { return kindCommitted }

// Encode writes a message: a byte that says which, and its fields.
func Encode(m Message) ([]byte, error) {
	if c, ok := m.(Committed); ok {
		return c.Batch.AppendRecord([]byte{kindCommitted}), nil
	}
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("remote: write a message: %w", err)
	}
	return append([]byte{m.kind()}, body...), nil
}

// Decode reads what Encode wrote. A batch is whole, but where it belongs is for its receiver to say.
func Decode(data []byte) (Message, error) {
	if len(data) == 0 {
		return nil, errors.New("remote: an empty message")
	}
	body := data[1:]
	switch data[0] {
	case kindAsk:
		return decode[Ask](body)
	case kindAnswer:
		return decode[Answer](body)
	case kindHello:
		return decode[Hello](body)
	case kindBeat:
		return decode[Beat](body)
	case kindCommitted:
		b, err := journal.ParseRecord(body)
		if err != nil {
			return nil, fmt.Errorf("remote: read a message: %w", err)
		}
		return Committed{b}, nil
	}
	return nil, fmt.Errorf("remote: a message of kind %d is unknown here", data[0])
}

func decode[M Message](body []byte) (Message, error) {
	var m M
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, fmt.Errorf("remote: read a message: %w", err)
	}
	return m, nil
}

// refusalOf is the refusal in an error; whatever else an error is says that nobody knows what
// happened.
func refusalOf(err error) *Refusal {
	var f *fault.Error
	if errors.As(err, &f) {
		return &Refusal{Code: f.Code, Message: f.Message, Details: f.Details}
	}
	return &Refusal{Code: fault.OutcomeUnknown, Message: "the leader failed to answer; ask again with the same key"}
}

func (r *Refusal) err() error {
	return &fault.Error{Code: r.Code, Message: r.Message, Details: r.Details}
}
