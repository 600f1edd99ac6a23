package router

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"bourse/router/serve"
)

func TestCacheIsBoundedInEntriesAndBytes(t *testing.T) {
	c := newCache[int, string](3, 100)
	for i := range 5 {
		c.add(i, "v", 10)
	}
	if _, ok := c.get(1); ok || c.kept.Len() != 3 || c.bytes != 30 {
		t.Errorf("after five of ten bytes: %d entries, %d bytes", c.kept.Len(), c.bytes)
	}
	c.add(4, "again", 20)
	if v, _ := c.get(4); v != "again" || c.bytes != 40 {
		t.Errorf("after one anew: %q, %d bytes", v, c.bytes)
	}
	for i := range 3 {
		c.add(10+i, "w", 25)
	}
	if c.bytes != 75 || c.kept.Len() != 3 {
		t.Errorf("after three of 25 bytes: %d entries, %d bytes", c.kept.Len(), c.bytes)
	}
	if v := c.settle(12, "x", 25); v != "w" {
		t.Errorf("what another has brought is replaced by %q", v)
	}
	if v := c.settle(13, "x", 25); v != "x" || c.bytes != 75 {
		t.Errorf("what is new is %q, %d bytes", v, c.bytes)
	}
	c = newCache[int, string](100, 100)
	for i := range 20 {
		c.add(i, "x", 25)
	}
	if c.bytes > 100 || c.kept.Len() != 4 {
		t.Errorf("of 25 bytes each: %d entries, %d bytes", c.kept.Len(), c.bytes)
	}
	c.add(99, "huge", 26)
	if _, ok := c.get(99); ok {
		t.Error("one that pushes out a fourth was kept")
	}
}

// Clients who write values into their operations share a plan.
func TestOtherLiteralsFindThePlan(t *testing.T) {
	g := gatewayOf(load(t, shops[0]), handlers{})
	for i := range 50 {
		text := fmt.Sprintf(`{ product(id: "p%d") { id } # %d`+"\n}", i, i)
		if _, refusal := g.Prepare(context.Background(), &serve.Request{Query: text}); refusal != nil {
			t.Fatal(refusal)
		}
	}
	if texts, shapes, plans := g.ready.texts.kept.Len(), g.ready.shapes.kept.Len(), g.ready.plans.kept.Len(); texts != 50 || shapes != 1 || plans != 1 {
		t.Errorf("%d texts, %d shapes, %d plans", texts, shapes, plans)
	}
}

// What is not kept is prepared anew, with the same outcome.
func TestNothingDependsOnWhatIsKept(t *testing.T) {
	sg := load(t, shops[0])
	g := newGateway(sg, Options{Fetcher: handlers{}, PlanCacheSize: 1, PlanCacheBytes: 1, Introspection: true})
	req := &serve.Request{Query: `{ product(id: "p") { id } }`}
	for range 3 {
		if _, refusal := g.Prepare(context.Background(), req); refusal != nil {
			t.Fatal(refusal)
		}
	}
	if g.ready.texts.kept.Len()+g.ready.shapes.kept.Len()+g.ready.plans.kept.Len() != 0 {
		t.Error("something was kept in one byte")
	}
	kept := gatewayOf(sg, handlers{})
	if _, refusal := kept.Prepare(context.Background(), req); refusal != nil {
		t.Fatal(refusal)
	}
	kept.ready.shapes.kept.Purge()
	kept.ready.plans.kept.Purge()
	if _, refusal := kept.Prepare(context.Background(), req); refusal != nil {
		t.Fatal(refusal)
	}
}

// A shape that is known says nothing of what stands beside it in a document.
func TestKnownShapesDoNotHideWhatIsWrongBesideThem(t *testing.T) {
	g := gatewayOf(load(t, shops[0]), handlers{})
	good := `query Q { product(id: "p") { id } }`
	for _, c := range []struct{ beside, want string }{
		{"", ""},
		{" fragment Unused on Product { id }", `Fragment "Unused" is never used.`},
		{" query Other { nonsense }", `Cannot query field "nonsense"`},
		{" query Q { product(id: 1) { id } }", `There can be only one operation named "Q".`},
	} {
		_, refusal := g.Prepare(context.Background(), &serve.Request{Query: good + c.beside, OperationName: "Q"})
		if (refusal == nil) != (c.want == "") || refusal != nil && !strings.Contains(refusal.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.beside, refusal, c.want)
		}
	}
}
