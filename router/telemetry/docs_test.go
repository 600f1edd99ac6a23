package telemetry_test

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"bourse/router/telemetry"
)

var update = flag.Bool("update", false, "write the table of metrics into the page")

const page = "../../docs/router.md"

// The page lists every metric as it is registered, and every field of the access log.
func TestThePageHasEveryMetric(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| metric | type | labels | |\n|---|---|---|---|\n")
	for _, m := range telemetry.Reference() {
		var labels []string
		for _, l := range m.Labels {
			labels = append(labels, "`"+l+"`")
		}
		table.WriteString("| `" + m.Name + "` | " + m.Type + " | " + strings.Join(labels, ", ") + " | " + m.Help + " |\n")
	}
	place := regexp.MustCompile(`(?s)(<!-- metrics -->\n).*?(<!-- end -->)`)
	if !place.Match(text) {
		t.Fatalf("%s has no place for the metrics", page)
	}
	current := place.ReplaceAllLiteralString(string(text), "<!-- metrics -->\n"+table.String()+"<!-- end -->")
	if current != string(text) {
		if !*update {
			t.Fatalf("the metrics of %s are out of date: go test ./router/telemetry -update", page)
		}
		if err := os.WriteFile(page, []byte(current), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, field := range telemetry.AccessFields() {
		if !strings.Contains(current, "`"+field+"`") {
			t.Errorf("%s does not mention the field %s of the access log", page, field)
		}
	}
}
