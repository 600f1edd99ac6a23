package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bourse": main})
}

// TestScripts runs the federation's commands as a team does. Each script of testdata/script has its files with it; beside the usual
// commands of testscript it has
//
//	subgraph NAME KIND [FILE]   starts a subgraph on loopback and puts its address into $NAME; see answers for the kinds
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		UpdateScripts:       *update,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"subgraph": startSubgraph},
	})
}

func startSubgraph(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: subgraph NAME KIND [FILE]")
	}
	sdl := ""
	if len(args) > 2 {
		sdl = ts.ReadFile(args[2])
	}
	answer, known := answers[args[1]]
	if !known {
		ts.Fatalf("no kind of subgraph %q", args[1])
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body) // until it is read, the server does not notice that a client leaves
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer(w, r, sdl)
	}))
	ts.Defer(func() {
		server.CloseClientConnections()
		server.Close()
	})
	ts.Setenv(args[0], server.URL)
}

// answers are what subgraphs say when they are asked for their schema, well and badly.
var answers = map[string]func(w http.ResponseWriter, r *http.Request, sdl string){
	"good": func(w http.ResponseWriter, r *http.Request, sdl string) {
		var asked struct{ Query string }
		if json.NewDecoder(r.Body).Decode(&asked) != nil || !strings.Contains(asked.Query, "_service") || r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "no such query", http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"_service": map[string]any{"sdl": sdl}}})
	},
	"guarded": func(w http.ResponseWriter, r *http.Request, sdl string) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"_service": map[string]any{"sdl": sdl}}})
	},
	"html": func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<html><body>Welcome\x1b[31m!</body></html>")
	},
	"failing": func(w http.ResponseWriter, _ *http.Request, _ string) {
		http.Error(w, "out of order", http.StatusInternalServerError)
	},
	"graph": func(w http.ResponseWriter, _ *http.Request, _ string) {
		fmt.Fprint(w, `{"errors":[{"message":"Cannot query field \"_service\" on type \"Query\"."}]}`)
	},
	"empty":   func(w http.ResponseWriter, _ *http.Request, _ string) { fmt.Fprint(w, `{"data":{"_service":null}}`) },
	"garbage": func(w http.ResponseWriter, _ *http.Request, _ string) { fmt.Fprint(w, `{"data":{"_service":`) },
	"silent":  func(_ http.ResponseWriter, r *http.Request, _ string) { <-r.Context().Done() },
	"slow": func(w http.ResponseWriter, r *http.Request, _ string) { // begins, and never ends
		fmt.Fprint(w, `{"data":`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	},
	"huge": func(w http.ResponseWriter, r *http.Request, _ string) {
		block := bytes.Repeat([]byte("x"), 1<<20)
		for r.Context().Err() == nil {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	},
	"hangs up": func(http.ResponseWriter, *http.Request, string) { panic(http.ErrAbortHandler) },
}
