package config_test

import (
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bourse/router/config"
)

func TestTelemetryOutlivesAReloadThatLeavesItAlone(t *testing.T) {
	dir := t.TempDir()
	section := `
telemetry:
  metrics: { path: /figures }
  access_log: { output: ` + filepath.Join(dir, "access.log") + `, fields: [operation] }
  slow_log: { threshold: 2s }
  usage: { file: ` + filepath.Join(dir, "usage", "current.jsonl") + ` }
`
	first := buildAfter(t, section, nil)
	second := buildAfter(t, section+"plans: { cache: 7 }\n", first)
	other := buildAfter(t, "telemetry: { metrics: {} }\n", second)
	none := buildAfter(t, "plans: { cache: 7 }\n", second)
	if first.Options.Telemetry == nil || first.Options.Telemetry != second.Options.Telemetry {
		t.Error("the same section makes two telemetries")
	}
	if other.Options.Telemetry == first.Options.Telemetry || none.Options.Telemetry != nil {
		t.Error("another section has the same telemetry")
	}
	w := httptest.NewRecorder()
	first.Admin["GET /figures"].ServeHTTP(w, httptest.NewRequest("GET", "/figures", nil))
	if !strings.Contains(w.Body.String(), "bourse_router_requests_in_flight 0") {
		t.Errorf("the metrics are %s", w.Body.String())
	}
	first.Close()
	second.Close()
	third := buildAfter(t, section, second) // the one before has ended
	if third.Options.Telemetry == second.Options.Telemetry {
		t.Error("a telemetry that was closed is used again")
	}
	for _, b := range []*config.Built{third, other, none} {
		b.Close()
	}
	kept, err := filepath.Glob(filepath.Join(dir, "usage", "*.jsonl"))
	if err != nil || len(kept) != 2 {
		t.Errorf("the records of use are %v, %v", kept, err)
	}
}

func TestTelemetryRefusesWhatItCannotDo(t *testing.T) {
	for text, want := range map[string]string{
		"telemetry: { access_log: { fields: [colour] } }":          `no field "colour"`,
		"telemetry: { access_log: { headers: [Authorization] } }":  "not logged",
		"telemetry: { traces: { ratio: 2 } }":                      "ratio",
		"telemetry: { usage: {} }":                                 "file",
		"telemetry: { slow_log: { threshold: 0s } }":               "threshold",
		"explain: { secret: short }":                               "16 characters",
		"telemetry: { traces: { endpoint: 'collector' } }":         "no http URL",
		"telemetry: { access_log: { output: /nowhere/at/all/a } }": "access_log",
	} {
		c, err := config.Read("router.yaml", []byte(text), os.LookupEnv)
		if err == nil {
			var b *config.Built
			if b, err = c.Build(slog.New(slog.DiscardHandler)); err == nil {
				b.Close()
			}
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestFilesOfTelemetryAreRelativeToTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "router.yaml")
	text := "telemetry: { access_log: { output: access.log }, slow_log: { output: slow.log }, usage: { file: usage/current.jsonl } }"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	c.Reads(func(path string) { t.Errorf("%s counts as read", path) })
	b, err := c.Build(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	for _, file := range []string{"access.log", "slow.log", "usage"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Error(err)
		}
	}
}
