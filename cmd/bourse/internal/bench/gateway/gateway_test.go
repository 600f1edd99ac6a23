package gateway

import (
	"encoding/json"
	"testing"

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
