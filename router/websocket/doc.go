// Package websocket is the server's side of WebSockets (RFC 6455), for many connections that are idle most of the time.
//
//	Upgrade ─▶ Conn ── ReadMessage ◀── one goroutine
//	                └─ Write, TryWrite ◀── one at a time, as the owner sees to
//
// A connection costs one goroutine that waits for bytes, and a buffer that fits the small messages clients send; larger messages borrow
// memory while they are read. There is no buffer for writing, no timer, and nothing of the upgrade's request is kept. TryWrite hands the
// kernel what it takes at once and never waits, so that whoever has an event for thousands of connections can write it himself.
//
// The package speaks no compression and no other extension, and knows nothing of what messages mean.
package websocket
