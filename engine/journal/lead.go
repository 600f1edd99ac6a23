package journal

import (
	"context"
	"errors"
	"time"
)

// AwaitLead takes the lead as soon as nobody else has it, however long that takes. A journal that
// can wait is asked to (it has a method of this name); any other is asked again every pause.
func AwaitLead(ctx context.Context, j Journal, pause time.Duration) (Writer, error) {
	if patient, ok := j.(interface {
		AwaitLead(context.Context) (Writer, error)
	}); ok {
		return patient.AwaitLead(ctx)
	}
	for {
		w, err := j.Lead(ctx)
		if !errors.Is(err, ErrHeld) {
			return w, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Lost is closed when a writer notices by itself that it leads no more. It is nil, and never ready,
// for a writer that learns it from its next Append.
func Lost(w Writer) <-chan struct{} {
	if alert, ok := w.(interface{ Lost() <-chan struct{} }); ok {
		return alert.Lost()
	}
	return nil
}
