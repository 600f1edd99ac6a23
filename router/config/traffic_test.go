package config_test

import (
	"log/slog"
	"testing"
	"time"

	"bourse/router/config"
)

func TestRulesOfTrafficAreOfAllOrOfOne(t *testing.T) {
	c, err := config.Read("router.yaml", []byte(`
traffic:
  share_fetches: true
  all: { timeout: 40s, retry: { attempts: 2 } }
  each:
    search: { breaker: { failure_ratio: 0.5 }, hedge: { delay: 10ms } }
`), environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Build(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	o := b.Options.Traffic
	if !o.ShareOperations || !o.ShareFetches || o.MaxFollowers != 10_000 || o.Longest(30*time.Second) != 40*time.Second {
		t.Errorf("options are %+v", o)
	}
	if all := o.RulesFor("products"); all.Timeout != 40*time.Second || all.Retry.Attempts != 2 || len(all.Retry.Statuses) != 3 || all.Breaker.FailureRatio != 0 {
		t.Errorf("rules for all are %+v", all)
	}
	if one := o.RulesFor("search"); one.Timeout != 0 || one.Retry.Attempts != 0 || one.MaxQueue != 100 || one.Breaker.FailureRatio != 0.5 || one.Breaker.MinRequests != 20 || one.Hedge.Delay != 10*time.Millisecond {
		t.Errorf("rules for one are %+v", one)
	}
}
