//go:build clients

package router_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"bourse/router"
)

// Clients that others wrote, against a router in front of real subgraphs. testdata/clients has the scripts; .ci/clients installs what they need.
func TestClientsThatOthersWrote(t *testing.T) {
	markets, stats := newSubgraphs()
	marketServer, statsServer := httptest.NewServer(markets), httptest.NewServer(stats)
	defer marketServer.Close()
	defer statsServer.Close()
	// The scripts say by a mutation what the subscription is to bring.
	markets.mutation = object{"rename": func(args object) any {
		if args["symbol"] == "quiet" { // answered once nobody is subscribed any more
			for late := time.Now().Add(10 * time.Second); markets.streams.Load() > 0 && time.Now().Before(late); {
				runtime.Gosched()
			}
			return market("quiet", "")
		}
		select {
		case markets.events <- fmt.Sprint(args["symbol"]):
		case <-time.After(10 * time.Second): // nobody subscribes: the script will say what it missed
		}
		return market(fmt.Sprint(args["symbol"]), "")
	}}
	r, err := router.New(composed(t, marketServer.URL, statsServer.URL), router.Options{Introspection: true})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(r)
	defer server.Close()
	defer func() { _ = r.Close(t.Context()) }()
	left := make(chan struct{})
	defer close(left)
	go func() { // nobody counts here who leaves
		for {
			select {
			case <-markets.left:
			case <-left:
				return
			}
		}
	}()
	for _, c := range []struct {
		script string
		least  int // of things tried: a script that breaks off early is no success
	}{{"audit", 60}, {"socket", 7}, {"legacy", 4}, {"events", 10}} {
		t.Run(c.script, func(t *testing.T) {
			if tried := runScript(t, c.script, server.URL); tried < c.least {
				t.Errorf("only %d things were tried, not %d", tried, c.least)
			}
		})
	}
}

// runScript makes a subtest of each thing that a script tries, and counts them.
func runScript(t *testing.T, script, url string) int {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script+".mjs", url)
	cmd.Dir = "testdata/clients"
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("node %s.mjs: %v", script, err)
	}
	tried := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); tried++ {
		var said struct{ Name, Fault string }
		if err := json.Unmarshal(lines.Bytes(), &said); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		t.Run(said.Name, func(t *testing.T) {
			if said.Fault != "" {
				t.Error(said.Fault)
			}
		})
	}
	return tried
}
