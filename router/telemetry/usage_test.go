package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"go.uber.org/goleak"

	"bourse/router/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const shop = `
type Query { products(filter: Filter, sort: Sort): [Product!]! best(sort: [Sort!]): Thing }
input Filter { name: String sort: Sort, below: Filter }
enum Sort { NAME PRICE }
union Thing = Product
type Product { id: ID! name(upper: Boolean): String! price(in: String = "EUR"): Int }
`

// recording is a record of use with a clock of its own.
type recording struct {
	t    *testing.T
	told *telemetry.Telemetry
	file string
	now  time.Time
}

func record(t *testing.T, o telemetry.Usage) *recording {
	t.Helper()
	r := &recording{t: t, file: filepath.Join(t.TempDir(), "usage", "current.jsonl"), now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	o.File, o.Every, o.Now = r.file, time.Hour, func() time.Time { return r.now }
	var err error
	if r.told, err = telemetry.New(telemetry.Options{Usage: &o}); err != nil {
		t.Fatal(err)
	}
	r.told.Schema(gqlparser.MustLoadSchema(&ast.Source{Input: shop}))
	t.Cleanup(func() {
		if err := r.told.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return r
}

// asked tells of requests for a document.
func (r *recording) asked(d *telemetry.Document, times int, client string, failed bool) {
	for range times {
		ctx := r.told.Begin(context.Background(), http.Header{"Graphql-Client-Name": {client}, "Graphql-Client-Version": {"1"}})
		telemetry.Of(ctx).Prepared(telemetry.Prepared{Document: d, Kind: d.Kind})
		r.told.End(ctx, telemetry.Record{Kind: string(d.Kind), Operation: d.Name, Errors: failed})
	}
}

type line struct {
	Query, OperationName string
	Count, Errors        int64
	FirstSeen, LastSeen  time.Time
	OtherClients         int64
	Clients              []struct {
		Name, Version string
		Count         int64
	}
	Summary *struct {
		Operations, Unrecorded                     int64
		Fields, Arguments, InputFields, EnumValues map[string]int64
	}
}

func (r *recording) read(file string) []line {
	r.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		r.t.Fatal(err)
	}
	var lines []line
	for l := range bytes.Lines(text) {
		var one line
		if err := json.Unmarshal(l, &one); err != nil {
			r.t.Fatal(err)
		}
		lines = append(lines, one)
	}
	return lines
}

func TestTheRecordSaysWhoUsesWhat(t *testing.T) {
	r := record(t, telemetry.Usage{Clients: 2})
	a := r.told.Document(`query A { products(filter: {name: "secret", sort: PRICE}) { ...P } } fragment P on Product { id name(upper: true) name(upper: true) }`, "A", ast.Query)
	again := r.told.Document(`query A { products(filter: {name: "other", sort: PRICE}) { ...P } } fragment P on Product { id name(upper: true) name(upper: true) }`, "A", ast.Query)
	b := r.told.Document(`query B($s: [Sort!] = [NAME]) { best(sort: $s) { __typename ... on Product { price(in: "USD") } } } query C { products { id } }`, "B", ast.Query)
	r.asked(a, 3, "web", false)
	r.now = r.now.Add(time.Minute)
	r.asked(again, 2, "phone", true)
	r.asked(again, 1, "third", false)
	r.asked(b, 1, "web", false)
	r.told.Flush()

	lines := r.read(r.file)
	if len(lines) != 3 {
		t.Fatalf("%d lines", len(lines))
	}
	one, two, sum := lines[0], lines[1], lines[2].Summary
	if one.Query != `query A { products(filter: {name:"",sort:PRICE}) { ... P } } fragment P on Product { id name(upper: true) name(upper: true) }` || one.OperationName != "A" {
		t.Errorf("the text is %s", one.Query)
	}
	if one.Count != 6 || one.Errors != 2 || one.LastSeen.Sub(one.FirstSeen) != time.Minute || one.OtherClients != 1 ||
		fmt.Sprint(one.Clients) != "[{web 1 3} {phone 1 2}]" {
		t.Errorf("the first line is %+v", one)
	}
	if strings.Contains(two.Query, "query C") || strings.Contains(two.Query, "USD") || two.Count != 1 {
		t.Errorf("the second line is %+v", two)
	}
	for what, pair := range map[string][2]map[string]int64{
		"fields":       {sum.Fields, {"Query.products": 6, "Product.id": 6, "Product.name": 6, "Query.best": 1, "Product.price": 1}},
		"arguments":    {sum.Arguments, {"Query.products(filter:)": 6, "Product.name(upper:)": 6, "Query.best(sort:)": 1, "Product.price(in:)": 1}},
		"input fields": {sum.InputFields, {"Filter.name": 6, "Filter.sort": 6}},
		"enum values":  {sum.EnumValues, {"Sort.PRICE": 6, "Sort.NAME": 1}},
	} {
		if fmt.Sprint(pair[0]) != fmt.Sprint(pair[1]) {
			t.Errorf("%s: %v, want %v", what, pair[0], pair[1])
		}
	}
}

func TestTheRecordIsBounded(t *testing.T) {
	r := record(t, telemetry.Usage{Operations: 2})
	for _, name := range []string{"A", "B", "C", "D"} {
		r.asked(r.told.Document("query "+name+" { products { id } }", name, ast.Query), 2, "web", false)
	}
	r.told.Flush()
	lines := r.read(r.file)
	if sum := lines[len(lines)-1].Summary; len(lines) != 3 || sum.Operations != 2 || sum.Unrecorded != 4 {
		t.Errorf("%d lines, %+v", len(lines), sum)
	}
}

func TestTheRecordIsRotated(t *testing.T) {
	r := record(t, telemetry.Usage{Rotate: time.Hour, Keep: 2})
	used, unused := r.told.Document("{ products { id } }", "", ast.Query), r.told.Document("{ best { __typename } }", "", ast.Query)
	r.asked(unused, 1, "web", false)
	for range 4 {
		r.asked(used, 1, "web", false)
		r.now = r.now.Add(time.Hour)
		r.told.Flush()
	}
	r.asked(unused, 5, "web", false) // which has left the record meanwhile
	r.told.Flush()
	kept, err := filepath.Glob(strings.TrimSuffix(r.file, ".jsonl") + "-*.jsonl")
	if err != nil || len(kept) != 2 {
		t.Fatalf("kept are %v, %v", kept, err)
	}
	for _, file := range kept {
		if lines := r.read(file); len(lines) != 2 || lines[0].Count != 1 {
			t.Errorf("%s has %+v", file, lines)
		}
	}
	if lines := r.read(r.file); len(lines) != 2 || lines[0].Count != 5 {
		t.Errorf("the current record has %+v", lines)
	}
}

// A router that is reloaded with another telemetry has two of them for a while, and neither overwrites what the other wrote.
func TestARecordIsNotOverwrittenByItsPredecessor(t *testing.T) {
	before := record(t, telemetry.Usage{})
	before.asked(before.told.Document("{ products { id } }", "", ast.Query), 1, "web", false)
	before.told.Flush()
	after, err := telemetry.New(telemetry.Options{Usage: &telemetry.Usage{File: before.file}})
	if err != nil {
		t.Fatal(err)
	}
	before.asked(before.told.Document("{ products { name } }", "", ast.Query), 7, "web", false)
	before.told.Flush()
	if lines := before.read(before.file); len(lines) != 1 {
		t.Errorf("the successor's record has %+v", lines)
	}
	if err := after.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(strings.TrimSuffix(before.file, ".jsonl") + "-*.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(files, func(f string) bool { lines := before.read(f); return len(lines) == 3 && lines[0].Count == 7 }) {
		t.Errorf("what the predecessor still counted is in none of %v", files)
	}
}
