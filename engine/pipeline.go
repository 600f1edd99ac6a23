package engine

import (
	"context"

	"bourse/engine/venue"
)

// submit runs a command through the sequencer and returns when it is durable.
func (x *Exchange) submit(ctx context.Context, cmd venue.Command) (venue.Receipt, error) {
	return x.seq.Submit(ctx, cmd)
}

// read runs a function on the committed state; the function must not keep it.
func (x *Exchange) read(do func(*venue.State)) { x.seq.View().Read(do) }
