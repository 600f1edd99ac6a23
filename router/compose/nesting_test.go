package compose

import (
	"errors"
	"strings"
	"testing"
)

func TestDeepNestingIsRefused(t *testing.T) {
	deep := strings.Repeat("[", 10_000_000)
	for _, sdl := range []string{
		"type Query { q: " + deep,
		`type Query { q(a: Int = ` + deep,
		"directive @d(a: Int = " + strings.Repeat("{a:", 1_000_000),
	} {
		_, err := Compose([]Subgraph{{Name: "a", SDL: sdl}}, Options{})
		var all Errors
		if !errors.As(err, &all) || all[0].Code != InvalidGraphQL {
			t.Errorf("got %.200v", err)
		}
	}
}

func TestBracketsInStringsDoNotNest(t *testing.T) {
	many := strings.Repeat("{", 1000)
	sdl := `"""` + many + ` \""" ` + many + `""" type Query { "` + many + ` \" ` + many + `" q: Int } # ` + many
	if _, err := Compose([]Subgraph{{Name: "a", SDL: sdl}}, Options{}); err != nil {
		t.Error(err)
	}
	if !nestsTooDeep(sdl + "\n" + many) {
		t.Error("the brackets after the comment were not seen")
	}
}
