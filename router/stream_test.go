package router_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"bourse/router"
	"bourse/router/identity"
	"bourse/router/internal/await"
	"bourse/router/serve"
)

// admitBearer takes who a request is from its Authorization header.
func admitBearer(_ context.Context, _ *http.Request, header http.Header) (*identity.Identity, *serve.Refusal) {
	name := header.Get("Authorization")
	if name == "" {
		return nil, nil
	}
	i := &identity.Identity{Subject: name}
	copy(i.Digest[:], name)
	return i, nil
}

// Clients that ask for the same share one upstream subscription and one completion of each event; whatever the events or the right to
// see them depend on keeps clients apart.
func TestEqualSubscriptionsShareOneUpstream(t *testing.T) {
	h := openHouse(t, router.Options{ForwardHeaders: []string{"Accept-Language", "Traceparent"}, Admit: admitBearer}, true)
	ctx, cancel := context.WithCancel(t.Context())
	shared := []<-chan string{
		h.watch(t, ctx, watch, "any"),
		h.watch(t, ctx, watch, "any", "X-Request-Id", "another", "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
		h.watch(t, ctx, watch+"  ", "any", "X-Not-Forwarded", "x"),
	}
	h.markets.events <- "BTC"
	for i, lines := range shared {
		if got := await.One(t, lines); got != event("BTC") {
			t.Errorf("client %d got %s", i, got)
		}
	}
	if n := h.markets.asked(); n != 1 {
		t.Errorf("%d upstream subscriptions for equal ones", n)
	}
	if n := h.stats.asked(); n != 1 {
		t.Errorf("an event was completed by %d requests", n)
	}
	apart := []<-chan string{
		h.watch(t, ctx, watch, "other"),
		h.watch(t, ctx, watch, "any", "Accept-Language", "de"),
		h.watch(t, ctx, watch, "any", "Authorization", "Bearer a"),
		h.watch(t, ctx, watch, "any", "Authorization", "Bearer b"),
		h.watch(t, ctx, strings.Replace(watch, "volume", "", 1), "any"),
	}
	for range len(apart) + 1 {
		await.One(t, h.markets.came)
	}
	cancel()
	for range len(apart) + 1 {
		await.One(t, h.markets.left)
	}
	if n := h.markets.asked(); n != len(apart)+1 {
		t.Errorf("%d upstream subscriptions, want %d", n, len(apart)+1)
	}
}

func TestStreamThatBeginsWithAStateIsNotJoinedLate(t *testing.T) {
	h := openHouse(t, router.Options{StateFirst: []string{"trades"}}, true)
	ctx, cancel := context.WithCancel(t.Context())
	early, too := h.subscribeSSE(t, ctx), h.subscribeSSE(t, ctx)
	h.markets.events <- "BTC"
	await.One(t, early)
	await.One(t, too)
	if n := h.markets.asked(); n != 1 {
		t.Errorf("%d upstream subscriptions for those who came in time", n)
	}
	h.subscribeSSE(t, ctx)
	await.One(t, h.markets.came)
	await.One(t, h.markets.came)
	cancel()
	await.One(t, h.markets.left)
	await.One(t, h.markets.left)
}
