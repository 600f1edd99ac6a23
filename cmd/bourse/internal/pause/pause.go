// Package pause is for programs that wait between two things they do and can be told to stop meanwhile.
package pause

import (
	"context"
	"time"
)

// For waits that long. It returns ctx's error when ctx ends first.
func For(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
