package house_test

import (
	"testing"

	"bourse/cmd/bourse/internal/house"
)

// History is emptied and filled again beside a serving house: what members see is the same
// afterwards, and the log gives the same digest however it is read.
func TestHistoryIsFilledAnewFromTheLog(t *testing.T) {
	h, endpoint := open(t)
	alice, bob := signIn(t, h, endpoint, "alice"), signIn(t, h, endpoint, "bob")
	ask[any](t, alice, placeOrder, vars("input", btc("a", "BUY", "1000", "0.02")))
	ask[any](t, bob, placeOrder, vars("input", btc("b", "SELL", "1000", "0.01")))
	before := everything(t, alice)
	c := house.Config{DatabaseURL: h.DatabaseURL()}

	reached, err := house.RebuildProjections(t.Context(), c)
	must(t, err)
	expect(t, "what alice sees", everything(t, alice), before)
	zeroSum(t, h)

	whole, err := house.Verify(t.Context(), c)
	must(t, err)
	expect(t, "the end of the log", uint64(whole.Sequence), reached)
	again, err := house.Replay(t.Context(), c, reached)
	must(t, err)
	expect(t, "the digest", again.Digest, whole.Digest)
	earlier, err := house.Replay(t.Context(), c, reached-1)
	must(t, err)
	if earlier.Digest == whole.Digest {
		t.Error("the last command changed nothing")
	}
	if _, err := house.Replay(t.Context(), c, reached+1); err == nil {
		t.Error("the log was replayed beyond its end")
	}
}

// A production house does not open on a demonstration's database, nor without a secret.
func TestProductionRefusesPublicPasswords(t *testing.T) {
	h, _ := open(t)
	url := h.DatabaseURL()
	if _, err := house.Start(t.Context(), house.Config{DatabaseURL: url, DataDir: t.TempDir()}); err == nil {
		t.Error("a house opened without a secret")
	}
	if _, err := house.Start(t.Context(), house.Config{DatabaseURL: url, DataDir: t.TempDir(), Secret: []byte("short")}); err == nil {
		t.Error("a house opened with a short secret")
	}
	must(t, h.Stop(t.Context()))
	_, err := house.Start(t.Context(), house.Config{
		DatabaseURL: url, DataDir: t.TempDir(), Secret: []byte("a secret of more than thirty-two bytes"),
	})
	if err == nil {
		t.Error("a production house opened on a demonstration's database")
	}
}
