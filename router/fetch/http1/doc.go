// Package http1 posts small requests over plain HTTP/1.1 (RFC 9112) on connections that are kept.
//
//	Post ─ take a connection ─ one write ─ read the head ─ read the body ─ put the connection back ─▶ Answer
//	            ▲                                                                │
//	            └──── once more on a new one, when a kept one turns out closed ──┘
//
// It does on the caller's goroutine, without any other, what a client of GraphQL subgraphs needs: net/http's Transport has two goroutines for
// each connection and hands every request and answer between them, which costs several times the system calls themselves. Bodies
// are read straight into pooled buffers of their size.
//
// It knows nothing of TLS, HTTP/2, proxies, redirects, cookies, compression, or bodies as streams: NewTarget refuses what it cannot reach, and
// net/http is there for it. Whatever a server does wrong is an error of its request and ends its connection; everything that
// it sends is bounded.
package http1
