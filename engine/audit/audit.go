// Package audit is the record of who did what: rows that only ever grow, each sealed with the hash
// of the one before, so that no row can be changed, removed or slipped in without breaking every
// seal after it.
//
//	row n:   hash(n) = SHA-256( hash(n-1) ‖ id ‖ at ‖ actor ‖ action ‖ subject ‖ details ‖ command )
//	row 0:   hash(0) = 32 zero bytes
//
// What the chain alone cannot show is the loss of its newest rows together with the head that
// counts them: compare the head with one that was noted elsewhere. Orders and cancels are not
// here: the journal records them, who placed them included, in a chain of its own.
//
// The package deliberately does not know where rows are stored or what the actions mean.
package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"bourse/engine/account"
)

// Hash seals a row.
type Hash [sha256.Size]byte

// Entry is what happened, before it has a place in the chain.
type Entry struct {
	At    time.Time
	Actor account.Actor
	// Action in the form "subject.verb", such as "deposit.approve".
	Action string
	// Subject is what it was done to, such as "deposit:12" or "market:BTC-USDT".
	Subject string
	// Details are small and never secret.
	Details map[string]string
	// Command is the key of a command that may be repeated; the repetition leaves no second row.
	// Empty for what has none.
	Command string
}

// Record is a row of the chain.
type Record struct {
	// ID counts from 1 without gaps.
	ID        uint64
	At        time.Time // whole microseconds, UTC
	ActorID   account.ID
	ActorRole account.Role
	ActorName string
	Action    string
	Subject   string
	// Details is a JSON object with sorted names, exactly as it was sealed.
	Details string
	Command string
	Prev    Hash
	Hash    Hash
}

// Head is the newest link: the id and hash of the last row; zero for an empty chain.
type Head struct {
	ID   uint64
	Hash Hash
}

// Seal gives an entry its place after head.
func Seal(head Head, e Entry) (Record, error) {
	details := []byte("{}")
	if len(e.Details) > 0 {
		var err error
		if details, err = json.Marshal(e.Details); err != nil {
			return Record{}, fmt.Errorf("audit: encode details: %w", err)
		}
	}
	r := Record{
		ID:        head.ID + 1,
		At:        e.At.UTC().Truncate(time.Microsecond), // what PostgreSQL keeps
		ActorID:   e.Actor.ID,
		ActorRole: e.Actor.Role,
		ActorName: e.Actor.Username,
		Action:    e.Action,
		Subject:   e.Subject,
		Details:   string(details),
		Command:   e.Command,
		Prev:      head.Hash,
	}
	r.Hash = r.seal()
	return r, nil
}

// Head returns the link that this row is.
func (r Record) Head() Head { return Head{ID: r.ID, Hash: r.Hash} }

// seal hashes every field with its length, so that no two rows have the same bytes.
func (r Record) seal() Hash {
	var b bytes.Buffer
	b.WriteString("bourse audit 1\n")
	b.Write(r.Prev[:])
	number := func(n uint64) { b.Write(binary.BigEndian.AppendUint64(nil, n)) }
	text := func(s string) {
		number(uint64(len(s)))
		b.WriteString(s)
	}
	number(r.ID)
	number(uint64(r.At.UnixMicro()))
	number(uint64(r.ActorID))
	text(string(r.ActorRole))
	text(r.ActorName)
	text(r.Action)
	text(r.Subject)
	text(r.Details)
	text(r.Command)
	return sha256.Sum256(b.Bytes())
}

// ErrBroken says that the chain was tampered with or damaged; see Break.
var ErrBroken = errors.New("audit: the chain is broken")

// Break says where a chain is broken and how.
type Break struct {
	ID     uint64
	Reason string
}

// Error names the row and the reason.
func (b *Break) Error() string { return fmt.Sprintf("%v at row %d: %s", ErrBroken, b.ID, b.Reason) }

// Unwrap makes errors.Is(err, ErrBroken) hold.
func (b *Break) Unwrap() error { return ErrBroken }

// Verify walks rows in the order of their ids, from the first after start, and checks each seal and
// that the last one is want. It returns the head that it reached; the error is a *Break, or that of
// the rows.
func Verify(start Head, rows iter.Seq2[Record, error], want Head) (Head, error) {
	head := start
	for r, err := range rows {
		if err != nil {
			return head, err
		}
		switch {
		case r.ID != head.ID+1:
			return head, &Break{ID: head.ID + 1, Reason: fmt.Sprintf("missing: the next row is %d", r.ID)}
		case r.Prev != head.Hash:
			return head, &Break{ID: r.ID, Reason: "it does not continue the row before"}
		case r.Hash != r.seal():
			return head, &Break{ID: r.ID, Reason: "its content is not what was sealed"}
		}
		head = r.Head()
	}
	if head != want {
		return head, &Break{ID: head.ID, Reason: fmt.Sprintf("the chain ends here, its head says %d", want.ID)}
	}
	return head, nil
}
