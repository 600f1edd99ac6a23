package identity

import (
	"context"
	"testing"
)

// What a request pays for its token: anew, and when it was seen before.
func BenchmarkVerify(b *testing.B) {
	for _, algorithm := range []string{"HS256", "RS256", "PS256", "ES256", "EdDSA"} {
		m := mintFor(algorithm)
		token := m.token(claims())
		for what, remembered := range map[string]int{"anew": -1, "remembered": 0} {
			b.Run(algorithm+"/"+what, func(b *testing.B) {
				v := verifier(b, issuerOf(m))
				if remembered < 0 {
					v.known = nil
				}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := v.Verify(context.Background(), token); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
