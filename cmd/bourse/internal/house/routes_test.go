package house

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

var lan = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}

func answered(h http.Handler, remote, forwarded string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = remote
	r.Header.Set(addressHeader, "198.51.100.66") // whatever the caller claims
	if forwarded != "" {
		r.Header.Set("X-Forwarded-For", forwarded)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// The subgraphs throttle sign-ins by this address: it must be the client's, and not of the client's choosing.
func TestTheClientsAddressIsNotItsOwnToChoose(t *testing.T) {
	house := &House{}
	for _, c := range []struct {
		proxies                 []netip.Prefix
		remote, forwarded, want string
	}{
		{nil, "192.0.2.1:1", "", "192.0.2.1"},
		{nil, "10.0.0.1:1", "203.0.113.9", "10.0.0.1"},
		{lan, "10.0.0.1:1", "203.0.113.9", "203.0.113.9"},
		{lan, "10.0.0.1:1", "198.51.100.66, 203.0.113.9, 10.0.0.2", "203.0.113.9"},
		{lan, "192.0.2.1:1", "203.0.113.9", "192.0.2.1"},
		{lan, "[2001:db8::7]:1", "", "2001:db8::7"},
	} {
		h := house.routes(Config{Proxies: c.proxies}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Seen", r.Header.Get(addressHeader))
		}), http.NotFoundHandler())
		r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
		r.RemoteAddr = c.remote
		r.Header.Set(addressHeader, "198.51.100.66")
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Seen"); got != c.want {
			t.Errorf("%+v: the subgraphs see %q", c, got)
		}
	}
}

func TestMetricsAreForTheOperator(t *testing.T) {
	metrics := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, c := range []struct {
		config            Config
		remote, forwarded string
		want              int
	}{
		{Config{}, "127.0.0.1:1", "", 200},
		{Config{}, "[::1]:1", "", 200},
		{Config{}, "192.0.2.1:1", "", 403},
		{Config{}, "127.0.0.1:1", "192.0.2.1", 403}, // a proxy on this machine that nobody has named
		{Config{}, "127.0.0.1:1", "127.0.0.1", 403},
		{Config{Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, "127.0.0.1:1", "192.0.2.1", 403},
		{Config{MetricsFrom: lan}, "10.1.1.1:1", "", 200},
		{Config{MetricsFrom: lan}, "127.0.0.1:1", "", 403},
		{Config{MetricsFrom: lan, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, "127.0.0.1:1", "10.1.1.1", 200},
		{Config{MetricsFrom: lan, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}, "127.0.0.1:1", "10.1.1.1, 192.0.2.1", 403},
	} {
		if got := answered(guardMetrics(c.config, metrics), c.remote, c.forwarded).Code; got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// What is about to end is not ready, whatever else still works.
func TestAHouseThatLeavesIsNotReady(t *testing.T) {
	h := &House{}
	h.Leave()
	w := httptest.NewRecorder()
	h.serveReady(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("it says %d %s", w.Code, w.Body)
	}
}
