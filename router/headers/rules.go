package headers

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"bourse/router/identity"
)

// Action is what a rule does.
type Action string

// Actions.
const (
	Propagate Action = "propagate" // passes a client's header on
	Insert    Action = "insert"    // sets a header, whatever was there
	Remove    Action = "remove"    // takes a header away that an earlier rule passed on or set
)

// Rule is about one header, or about those whose names match.
type Rule struct {
	Action   Action
	Name     string
	Matching string // a regular expression for whole names, whatever their case; instead of Name, not for Insert
	Rename   string // Propagate: the name that the subgraph sees; only with Name
	Default  string // Propagate: the value where the client sent none; Insert: where the claim is missing
	Value    string // Insert: the value
	Claim    string // Insert: the claim whose value it is, instead of Value; see identity.ClaimPaths
}

// Rules for subgraphs are applied in their order: those for all, then those of the one. Later rules see what earlier ones did.
type Rules struct {
	All       []Rule
	Subgraphs map[string][]Rule
	Response  []ResponseRule
}

// Set are rules that are ready. It is immutable.
type Set struct {
	all       []rule
	subgraphs map[string][]rule
	response  []responseRule
	client    map[string]bool // names of client headers that no subgraph sees unless a rule says so
	fixed     map[string]bool // headers that are no client's
}

type rule struct {
	Rule
	pattern *regexp.Regexp
}

// Sources of headers beside the rules.
type Sources struct {
	Forwarded []string // client headers that all subgraphs see, as if Rules.All began with a rule for each
	Params    []string // entries of a WebSocket's connection_init that stand in for headers
	Fixed     []string // headers that the router itself sets
}

// New checks rules and makes them ready. known are the names of the subgraphs.
func New(rules Rules, sources Sources, known []string) (*Set, error) {
	s := &Set{subgraphs: map[string][]rule{}, client: map[string]bool{}, fixed: map[string]bool{}}
	for _, name := range append(slices.Clone(sources.Fixed), "X-Request-Id", "Traceparent", "Tracestate") {
		s.fixed[http.CanonicalHeaderKey(name)] = true
	}
	for _, name := range slices.Concat(sources.Forwarded, sources.Params) {
		s.client[http.CanonicalHeaderKey(name)] = true
	}
	var all []Rule
	for _, name := range sources.Forwarded {
		all = append(all, Rule{Action: Propagate, Name: name})
	}
	var err error
	if s.all, err = s.ready("all subgraphs", append(all, rules.All...)); err != nil {
		return nil, err
	}
	for name, own := range rules.Subgraphs {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no subgraph %q", name)
		}
		if s.subgraphs[name], err = s.ready("subgraph "+name, own); err != nil {
			return nil, err
		}
	}
	if s.response, err = readyResponse(rules.Response); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Set) ready(where string, rules []Rule) ([]rule, error) {
	var out []rule
	for i, r := range rules {
		one, err := r.ready()
		if err != nil {
			return nil, fmt.Errorf("rule %d for %s: %w", i+1, where, err)
		}
		if one.Action == Propagate && one.Name != "" {
			s.client[one.Name] = true
		}
		out = append(out, one)
	}
	return out, nil
}

// Check says what is wrong with a rule.
func (r Rule) Check() error {
	_, err := r.ready()
	return err
}

func (r Rule) ready() (rule, error) {
	if (r.Name == "") == (r.Matching == "") {
		return rule{}, errors.New("a rule has either a name or a pattern")
	}
	out := rule{Rule: r}
	var err error
	if out.Name, out.pattern, err = nameOrPattern(r.Name, r.Matching); err != nil {
		return rule{}, err
	}
	switch r.Action {
	case Propagate:
		if r.Value != "" || r.Claim != "" || r.Matching != "" && (r.Rename != "" || r.Default != "") {
			return rule{}, errors.New("what is propagated has no value or claim, and a name or default only where it is one header")
		}
	case Insert:
		if r.Matching != "" || r.Rename != "" || (r.Value == "") == (r.Claim == "") || r.Value != "" && r.Default != "" {
			return rule{}, errors.New("what is inserted has a name, and either a value or a claim")
		}
	case Remove:
		if r.Value != "" || r.Claim != "" || r.Rename != "" || r.Default != "" {
			return rule{}, errors.New("what is removed has a name or a pattern, and nothing else")
		}
	default:
		return rule{}, fmt.Errorf("%q is none of propagate, insert, remove", r.Action)
	}
	if r.Rename != "" {
		if out.Rename, err = headerName(r.Rename); err != nil {
			return rule{}, err
		}
	}
	if !validValue(r.Value) || !validValue(r.Default) {
		return rule{}, errors.New("a value has characters that no header may have")
	}
	return out, nil
}

func nameOrPattern(name, matching string) (string, *regexp.Regexp, error) {
	if name != "" {
		name, err := headerName(name)
		return name, nil, err
	}
	pattern, err := regexp.Compile(`^(?i:` + matching + `)$`)
	return "", pattern, err
}

// headerName spells a name the way http.Header does. Names of a connection are refused: a rule for them would never hold.
func headerName(name string) (string, error) {
	token := func(c rune) bool {
		return c > ' ' && c < 0x7f && !strings.ContainsRune("\"(),/:;<=>?@[\\]{}", c)
	}
	if name == "" || strings.IndexFunc(name, func(c rune) bool { return !token(c) }) >= 0 {
		return "", fmt.Errorf("%q is no name of a header", name)
	}
	if name = http.CanonicalHeaderKey(name); neverPassed(name) {
		return "", fmt.Errorf("the header %s belongs to a connection and is never passed on", name)
	}
	return name, nil
}

// neverPassed names headers of one connection, and those that say what one message is.
func neverPassed(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"Host", "Content-Length", "Content-Type", "Content-Encoding", "Accept", "Accept-Encoding", "Expect", "Http2-Settings":
		return true
	}
	return strings.HasPrefix(name, "Sec-Websocket-")
}

// validValue says whether a value may stand in a header (RFC 9110, 5.5).
func validValue(v string) bool {
	for i := range len(v) {
		if v[i] < ' ' && v[i] != '\t' || v[i] == 0x7f {
			return false
		}
	}
	return true
}

func (r *rule) matches(name string) bool {
	if r.pattern == nil {
		return r.Name == name
	}
	return r.pattern.MatchString(name)
}

// Select adds to header, which is the request's own, what of the client's headers any subgraph may see.
func (s *Set) Select(header, sent http.Header) {
	named := connectionNames(sent)
	for name, values := range sent {
		if _, there := header[name]; there || neverPassed(name) || slices.Contains(named, name) || s.fixed[name] || !s.mayPass(name) {
			continue
		}
		header[name] = values
	}
}

// connectionNames are the headers that a client itself declares to be of its connection.
func connectionNames(sent http.Header) []string {
	var names []string
	for _, line := range sent["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			names = append(names, http.CanonicalHeaderKey(strings.TrimSpace(name)))
		}
	}
	return names
}

// mayPass says whether a rule passes a client's header on to anyone.
func (s *Set) mayPass(name string) bool {
	passes := func(r rule) bool { return r.Action == Propagate && r.matches(name) }
	if slices.ContainsFunc(s.all, passes) {
		return true
	}
	for _, own := range s.subgraphs {
		if slices.ContainsFunc(own, passes) {
			return true
		}
	}
	return false
}

// Propagated names the headers of clients on which it depends what subgraphs see; patterns says that there are others, which match some pattern.
func (s *Set) Propagated() (names []string, patterns bool) {
	for _, rules := range append(slices.Collect(maps.Values(s.subgraphs)), s.all) {
		for _, r := range rules {
			switch {
			case r.Action != Propagate:
			case r.pattern != nil:
				patterns = true
			default:
				names = append(names, r.Name)
			}
		}
	}
	return names, patterns
}

// isClients says whether a header of a request is its client's, so that a subgraph sees it only by a rule.
func (s *Set) isClients(name string) bool {
	return !s.fixed[name] && (s.client[name] || s.mayPass(name))
}

// Outgoing is what a subgraph sees of a request whose header Select has seen to. What neither the client sent nor a rule is about stays
// as it is: others than clients have put it there.
func (s *Set) Outgoing(subgraph string, header http.Header, who *identity.Identity) http.Header {
	out := make(http.Header, len(header)+4)
	for name, values := range header {
		if !s.isClients(name) {
			out[name] = values
		}
	}
	for _, rules := range [][]rule{s.all, s.subgraphs[subgraph]} {
		for i := range rules {
			s.apply(&rules[i], out, header, who)
		}
	}
	return out
}

func (s *Set) apply(r *rule, out, header http.Header, who *identity.Identity) {
	switch r.Action {
	case Propagate:
		if r.pattern == nil {
			s.propagate(r, out, header)
			return
		}
		for name, values := range header {
			if r.matches(name) && !s.fixed[name] {
				out[name] = values
			}
		}
	case Insert:
		if value := r.inserted(who); value != "" {
			out[r.Name] = []string{value}
		} else {
			delete(out, r.Name)
		}
	case Remove:
		for name := range out {
			if r.matches(name) && (r.pattern == nil || !s.fixed[name]) {
				delete(out, name)
			}
		}
	}
}

func (s *Set) propagate(r *rule, out, header http.Header) {
	name := r.Name
	if r.Rename != "" {
		name = r.Rename
	}
	if values := header[r.Name]; len(values) > 0 {
		out[name] = values
	} else if r.Default != "" {
		out[name] = []string{r.Default}
	}
}

// inserted is the value that a rule sets; empty: the header is taken away.
func (r *rule) inserted(who *identity.Identity) string {
	if r.Value != "" {
		return r.Value
	}
	claim, _ := who.Claim(r.Claim)
	if text, ok := identity.Text(claim); ok && text != "" && validValue(text) {
		return text
	}
	return r.Default
}
