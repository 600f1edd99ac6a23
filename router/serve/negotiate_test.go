package serve

import "testing"

func TestNegotiation(t *testing.T) {
	for _, c := range []struct {
		accept      []string
		media       string
		parts, live bool
	}{
		{nil, mediaJSON, false, false},
		{[]string{"", " , "}, mediaJSON, false, false},
		{[]string{"Application/GraphQL-Response+JSON"}, mediaGraphQL, false, false},
		{[]string{"APPLICATION/JSON;Q=0, application/graphql-response+json;q=0.1"}, mediaGraphQL, false, false},
		{[]string{"text/html", "application/graphql-response+json"}, mediaGraphQL, false, false}, // headers that came twice are one list
		{[]string{"application/json, application/graphql-response+json"}, mediaGraphQL, false, false},
		{[]string{"application/json;q=0.9, application/graphql-response+json;q=0.8"}, mediaJSON, false, false},
		{[]string{"*/*;q=0.1, text/event-stream"}, mediaEvents, false, false},
		{[]string{"application/*, application/graphql-response+json"}, mediaGraphQL, false, false},
		{[]string{"application/json;q=0, */*;q=0"}, "", false, false},
		{[]string{"text/html"}, "", false, false},
		{[]string{"multipart/mixed;deferSpec=20220824, application/json"}, mediaJSON, true, false},
		{[]string{"multipart/mixed;q=0.5, application/json"}, mediaJSON, false, false},
		{[]string{"multipart/mixed;deferSpec=19990101, application/json"}, mediaJSON, false, false},
		{[]string{"multipart/mixed;incrementalSpec=v0.2, application/json"}, mediaJSON, false, false},
		{[]string{"multipart/mixed"}, mediaParts, true, false},
		{[]string{`multipart/mixed;subscriptionSpec="1.0", application/json`}, mediaJSON, false, true},
		{[]string{"multipart/mixed;subscriptionSpec=1.0;q=0"}, "", false, false},
		{[]string{"multipart/mixed;subscriptionSpec=1.0"}, mediaLive, false, true},
	} {
		if got, want := negotiate(c.accept), (accepted{c.media, c.parts, c.live}); got != want {
			t.Errorf("%q: %+v, want %+v", c.accept, got, want)
		}
	}
}
