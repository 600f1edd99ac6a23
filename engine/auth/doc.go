// Package auth proves who someone is: passwords (argon2id), access tokens (short JWTs), refresh
// tokens that rotate, and the throttle on sign-in.
//
//	password ──▶ session ──▶ access token   10 minutes, verified without the database
//	                │
//	                └──────▶ refresh token  one use; using it again ends the whole session
//
// A session is one sign-in on one device; all its refresh tokens descend from one another. A
// second factor is not built yet: a session already records by which methods it was proven
// (Methods), so that another step can stand between the password and the session.
//
// The package deliberately does not know where sessions and password hashes are stored, what an
// actor may do, or what the time is: clock and randomness are handed in.
package auth

// Method is one way in which a session was proven, in the words of RFC 8176 (amr).
type Method string

// MethodPassword is a password that the holder knows.
const MethodPassword Method = "pwd"
