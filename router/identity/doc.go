// Package identity finds out whom a request speaks for, and where it comes from.
//
//	header, cookie ─Sources─▶ token ─Verifier─▶ Identity ─▶ scopes, roles, policies
//	                                   │
//	                       issuer ─▶ algorithms, keys (fixed, or a key set behind a URL)
//	connection, X-Forwarded-For ─Addresses─▶ the client's address, allowed or not
//
// A token is a JWT (RFC 7519) in compact form. Its issuer says which algorithms, keys and audiences count: nothing in the token
// itself does. Which key fits a token is decided by the key's kind, so that a public key never serves as a secret; a token's kid only
// chooses among keys that are known already, and may at most make a key set be read again, once in a while.
//
// A verified token is remembered by its digest until it expires or its issuer's keys change, because verifying costs more than most
// operations. A digest of a secure hash is no secret to be compared in constant time; signatures are compared by golang-jwt, which does.
//
// The package knows neither GraphQL nor which fields are protected: package access judges that by what is known of the identity.
// What it refuses it says by a Reason; whatever could help to guess is for the log alone, and tokens are for nobody.
package identity
