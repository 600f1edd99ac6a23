package remote

import (
	"testing"
	"time"

	"bourse/engine/fault"
	"bourse/engine/venue"
)

// A refusal that was long on its way says nothing any more once another leader was asked: that one
// may have accepted the command.
func TestLateRefusalOfAnOlderLeaderSettlesNothing(t *testing.T) {
	now := epoch0
	c := NewClient("a", 4)
	c.Beat(now, Beat{From: "b", Epoch: 1})
	number, err := c.Submit(now, now.Add(time.Second), []byte("command"))
	if err != nil {
		t.Fatal(err)
	}
	c.Beat(now, Beat{From: "c", Epoch: 2})
	refusal := &Refusal{Code: fault.NoLiquidity}
	c.Answer(now, Answer{To: "a", Number: number, Attempt: 1, Epoch: 1, Refusal: refusal})
	if _, settled := c.Take(); len(settled) != 0 {
		t.Fatalf("settled by an older leader: %+v", settled)
	}
	c.Answer(now, Answer{To: "a", Number: number, Attempt: 2, Epoch: 2, Receipt: &venue.Receipt{Sequence: 7}})
	if _, settled := c.Take(); len(settled) != 1 || settled[0].Err != nil || settled[0].Receipt.Sequence != 7 {
		t.Fatalf("settled as %+v", settled)
	}
}
