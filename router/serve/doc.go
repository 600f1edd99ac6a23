// Package serve speaks the protocols that clients of a GraphQL endpoint use.
//
//	POST, GET            GraphQL over HTTP: application/graphql-response+json, application/json
//	POST, GET            server-sent events, a connection for each operation: text/event-stream
//	PUT, then GET, POST, DELETE with a token: server-sent events, one connection for all operations
//	GET with Upgrade     WebSocket: graphql-transport-ws
//	POST, GET            answers in parts: multipart/mixed, deferSpec=20220824
//	POST, GET            subscriptions in parts: multipart/mixed, subscriptionSpec=1.0
//
// What a client defers with @defer comes in parts only where it can take them: over HTTP when its Accept names multipart/mixed (with
// deferSpec=20220824 or no version at all, and not below the rest), over server-sent events and WebSockets always, as messages named
// next. Everyone else gets the whole answer at once, as the directive allows: an operation that works for one client works for all.
//
// It reads requests, guards against what browsers can be tricked into (CORS, CSRF, the Origin of WebSockets), bounds sizes, times and numbers,
// and writes answers. What a request means is the Gateway's business: this package knows no schema, no plan and no subgraph.
//
// Everything that a client sends is bounded: bodies, messages, operations on one socket, sockets altogether, the time to say hello and the time
// to take an answer.
package serve
