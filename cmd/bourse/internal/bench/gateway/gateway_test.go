package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"bourse/router/federation"
)

func TestTheOperationsAreOfTheSizesSaid(t *testing.T) {
	sdl, err := supergraph("127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := federation.Load(sdl); err != nil {
		t.Fatal(err)
	}
	for operation, size := range map[string]int{bigOperation: 87_000, smallOperation: 281} {
		text, err := newShop().answer(operation, nil)
		if err != nil || !json.Valid(text) || len(text) < size*95/100 || len(text) > size*105/100 {
			t.Errorf("%d bytes, %v", len(text), err)
		}
	}
}

// TestMain lets the test's binary be the measured process as well.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "part" {
		if err := ServePart(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func options(t *testing.T) Options {
	return Options{Rounds: 1, Round: 100 * time.Millisecond, Every: 20 * time.Millisecond, Serve: []string{"part"}, Progress: func(step string) { t.Log(step) }}
}

// Both processes answer right, and the router asks no subgraph more often than it should.
func TestMeasuresQueries(t *testing.T) {
	rounds, err := Measure(t.Context(), options(t))
	if err != nil {
		t.Fatal(err)
	}
	r := rounds[0]
	if r.Big.PerSecond == 0 || r.SmallAuth.PerSecond == 0 || r.FloorBig.PerSecond == 0 {
		t.Errorf("%+v", r)
	}
	// What is under way when counting begins or ends makes fractions.
	if r.FloorBig.Calls < 6000 || r.BigAuth.Calls > 8000 || r.Shared.Calls >= r.BigAuth.Calls {
		t.Errorf("calls of subgraphs: %+v", r)
	}
}

func TestMeasuresFanOut(t *testing.T) {
	o := options(t)
	o.Round = 500 * time.Millisecond // a machine that stands still for a moment has events before and after
	for _, of := range []Stream{{Subscribers: 20}, {Subscribers: 20, Entity: true}, {Subscribers: 20, Floor: true}} {
		f, err := MeasureFanout(t.Context(), o, of)
		if err != nil {
			t.Fatal(err)
		}
		if f.Delivered < 900 || f.Delivered > 1100 || f.P50 <= 0 {
			t.Errorf("%+v: %+v", of, f)
		}
	}
}

// A router that forgets what a field requires gets no answer for it.
func TestWhatIsRequiredMustBeSent(t *testing.T) {
	for variables, want := range map[string]string{
		`{"__typename":"Product","upc":"p1","price":1150,"weight":340}`: `{"data":{"_entities":[{"shippingEstimate":170}]}}`,
		`{"__typename":"Product","upc":"p1"}`:                           `{"data":{"_entities":[{"shippingEstimate":null}]}}`,
		`{"__typename":"Product","upc":"p99"}`:                          `{"data":{"_entities":[null]}}`,
	} {
		s := &subgraphs{shop: newShop()}
		got, err := s.work([]byte(`{"query":"query($r:[_Any!]!){_entities(representations:$r){...on Product{shippingEstimate}}}","variables":{"r":[` + variables + `]}}`))
		if err != nil || string(got) != want {
			t.Errorf("%s gives %s %v, want %s", variables, got, err, want)
		}
	}
}
