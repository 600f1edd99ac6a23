// Package serve speaks the protocols that clients of a GraphQL endpoint use.
//
//	POST, GET            GraphQL over HTTP: application/graphql-response+json, application/json
//	POST, GET            server-sent events (distinct connections): text/event-stream
//	GET with Upgrade     WebSocket: graphql-transport-ws
//
// It reads requests, guards against what browsers can be tricked into (CORS, CSRF, the Origin of WebSockets), bounds sizes, times and numbers,
// and writes answers. What a request means is the Gateway's business: this package knows no schema, no plan and no subgraph.
//
// Everything that a client sends is bounded: bodies, messages, operations on one socket, sockets altogether, the time to say hello and the time
// to take an answer.
package serve
