package identity

import (
	"errors"
	"net/http"
)

// Handler lets only requests with a valid token through to next, whose context has the identity. It is for subgraphs that verify what a
// router has signed, and for whatever else stands behind tokens.
func (v *Verifier) Handler(source Source, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := Find([]Source{source}, r.Header)
		if err == nil && token == "" {
			err = TokenMissing
		}
		var who *Identity
		if err == nil {
			who, err = v.Verify(r.Context(), token)
		}
		if err != nil {
			status, reason := http.StatusUnauthorized, TokenMalformed
			if errors.As(err, &reason); reason == KeysUnavailable {
				status = http.StatusServiceUnavailable
			}
			http.Error(w, reason.Error(), status)
			return
		}
		next.ServeHTTP(w, r.WithContext(With(r.Context(), who)))
	})
}
