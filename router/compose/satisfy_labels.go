package compose

import (
	"slices"
	"strings"
)

// maxLabels bounds how many labels of @override are tried in all their combinations.
const maxLabels = 5

// labelStates lists what the labels of progressive overrides may be for one request: the set of those that are on. Up to maxLabels labels every
// combination is tried; beyond that none, all, each alone and all but each.
func (m *merger) labelStates() []map[string]bool {
	var labels []string
	for _, f := range m.fields {
		for _, p := range f.parts {
			if p.shared != "" && !slices.Contains(labels, p.shared) {
				labels = append(labels, p.shared)
			}
		}
	}
	slices.Sort(labels)
	if len(labels) > maxLabels {
		none, all := map[string]bool{}, map[string]bool{}
		states := []map[string]bool{none, all}
		for _, one := range labels {
			all[one] = true
			others := map[string]bool{}
			for _, l := range labels {
				others[l] = l != one
			}
			states = append(states, map[string]bool{one: true}, others)
		}
		return states
	}
	var states []map[string]bool
	for bits := range 1 << len(labels) {
		on := map[string]bool{}
		for i, l := range labels {
			on[l] = bits&(1<<i) != 0
		}
		states = append(states, on)
	}
	return states
}

// resolvesUnder is resolves for a request for which these labels are on.
func (p fieldPart) resolvesUnder(on map[string]bool) bool {
	if !p.resolves() {
		return false
	}
	if p.shared != "" {
		return !on[p.shared]
	}
	if p.takesOver {
		if label := stringArg(p.field.Directives.ForName(dirOverride), "label"); label != "" {
			return on[label]
		}
	}
	return true
}

// labelText says which labels are on, for messages.
func labelText(on map[string]bool) string {
	if len(on) == 0 {
		return ""
	}
	var said []string
	for _, l := range sortedKeys(on) {
		if on[l] {
			said = append(said, l)
		}
	}
	if len(said) == 0 {
		return " and no label of @override is on"
	}
	return " and of the labels of @override these are on: " + strings.Join(said, ", ")
}
