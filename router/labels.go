package router

import (
	"context"
	"slices"
	"strconv"
	"strings"
)

// wholeShare is percent(100): labels may give a share of requests with up to eight decimals of a percent.
const wholeShare = 100 * 100_000_000

// LabelsOn is an Options.Label for which these are on, for every request.
func LabelsOn(labels []string) func(ctx context.Context, label string) bool {
	return func(_ context.Context, label string) bool { return slices.Contains(labels, label) }
}

// labelsOn decides for one request which labels of progressive overrides are on: percent(n) by chance, others as the
// operator's hook says.
func (g *gateway) labelsOn(ctx context.Context, labels []string) map[string]bool {
	on := map[string]bool{}
	for _, l := range labels {
		if share, ok := shareOf(l); ok {
			on[l] = g.chance(wholeShare) < share
		} else if g.label != nil {
			on[l] = g.label(ctx, l)
		}
	}
	return on
}

// shareOf reads percent(n), in parts of wholeShare.
func shareOf(label string) (share uint64, ok bool) {
	text, opened := strings.CutPrefix(label, "percent(")
	text, closed := strings.CutSuffix(text, ")")
	if !opened || !closed {
		return 0, false
	}
	whole, part, _ := strings.Cut(strings.TrimSpace(text), ".")
	if len(part) > 8 {
		return 0, false
	}
	share, err := strconv.ParseUint(whole+part+strings.Repeat("0", 8-len(part)), 10, 64)
	return min(share, wholeShare), err == nil
}

// labelKey is the part of a cache key that says which labels are on.
func labelKey(labels []string, state map[string]bool) string {
	var on []string
	for _, l := range labels {
		if state[l] {
			on = append(on, l)
		}
	}
	return strings.Join(on, "\n")
}
