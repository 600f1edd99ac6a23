package identity

// Reason is why a token is refused, in words that are stable and may be told to the client. It is an error.
type Reason string

// Reasons.
const (
	TokenMissing       Reason = "TOKEN_MISSING"
	TokenMalformed     Reason = "TOKEN_MALFORMED"
	TokenTooLarge      Reason = "TOKEN_TOO_LARGE"
	TokenAlgorithm     Reason = "TOKEN_ALGORITHM_REFUSED"
	TokenIssuer        Reason = "TOKEN_ISSUER_UNKNOWN"
	TokenKey           Reason = "TOKEN_KEY_UNKNOWN"
	TokenSignature     Reason = "TOKEN_SIGNATURE_INVALID"
	TokenExpired       Reason = "TOKEN_EXPIRED"
	TokenNotYetValid   Reason = "TOKEN_NOT_YET_VALID"
	TokenAudience      Reason = "TOKEN_AUDIENCE_WRONG"
	TokenClaim         Reason = "TOKEN_CLAIM_MISSING"
	KeysUnavailable    Reason = "IDENTITY_KEYS_UNAVAILABLE" // not the token's fault: the issuer's keys could not be read
	maxDetail                 = 200
	messageUnspecified        = "the token is not valid"
)

var messages = map[Reason]string{
	TokenMissing:     "a token is needed",
	TokenMalformed:   messageUnspecified + ": it is not a signed JWT in compact form",
	TokenTooLarge:    messageUnspecified + ": it is too large",
	TokenAlgorithm:   messageUnspecified + ": its algorithm is not taken",
	TokenIssuer:      messageUnspecified + ": its issuer is not known",
	TokenKey:         messageUnspecified + ": its key is not known",
	TokenSignature:   messageUnspecified + ": its signature is wrong",
	TokenExpired:     "the token has expired",
	TokenNotYetValid: "the token is not valid yet",
	TokenAudience:    messageUnspecified + ": it is for another audience",
	TokenClaim:       messageUnspecified + ": a claim is missing or of the wrong kind",
	KeysUnavailable:  "tokens of this issuer cannot be verified at the moment",
}

// Error is what a client may be told.
func (r Reason) Error() string {
	if m, ok := messages[r]; ok {
		return m
	}
	return messageUnspecified
}

// RefusedError is a refused token: the reason for the client, and a detail for the log alone. Neither holds the token.
type RefusedError struct {
	Reason Reason
	Detail string
}

func (e *RefusedError) Error() string {
	if e.Detail == "" {
		return e.Reason.Error()
	}
	return e.Reason.Error() + " (" + e.Detail + ")"
}

func (e *RefusedError) Unwrap() error { return e.Reason }

// refused cuts details, which may hold what the sender of a token made up.
func refused(reason Reason, detail string) *RefusedError {
	if len(detail) > maxDetail {
		detail = detail[:maxDetail] + "…"
	}
	return &RefusedError{reason, detail}
}
