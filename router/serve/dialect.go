package serve

import (
	"encoding/json"

	"bourse/router/websocket"
)

// dialect is a subprotocol for GraphQL over WebSocket: what it calls its messages, and where it differs.
type dialect struct {
	name             string
	start, stop      string // what a client sends to begin an operation and to leave it
	next             string // carries an answer
	terminate        string // ends the connection politely; empty: there is no such message
	keepAlive        []byte // a frame for a quiet connection, beside the WebSocket's own pings; nil: none
	refusesInWords   bool   // connection_error comes before the connection is closed
	oneError         bool   // an error's payload is one error, not a list
	replaces         bool   // an id that is in use stands for the newer operation
	pings            bool   // messages ping and pong
	greetAfterRepeat bool   // connection_init may come again
}

// transportWS is graphql-transport-ws, https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md.
var transportWS = &dialect{name: "graphql-transport-ws", start: "subscribe", stop: "complete", next: "next", pings: true}

// legacyWS is what subscriptions-transport-ws spoke, under the name graphql-ws; older clients know nothing else.
var legacyWS = &dialect{
	name: "graphql-ws", start: "start", stop: "stop", next: "data", terminate: "connection_terminate",
	keepAlive:      websocket.AppendFrame(nil, websocket.Text, []byte(`{"type":"ka"}`)),
	refusesInWords: true, oneError: true, replaces: true, greetAfterRepeat: true,
}

var dialects = map[string]*dialect{transportWS.name: transportWS, legacyWS.name: legacyWS}

// Close codes of graphql-transport-ws, which serve both.
const (
	closeInvalidMessage  websocket.Code = 4400
	closeUnauthorized    websocket.Code = 4401
	closeForbidden       websocket.Code = 4403
	closeProtocol        websocket.Code = 4406
	closeInitTimeout     websocket.Code = 4408
	closeDuplicateID     websocket.Code = 4409
	closeTooManyRequests websocket.Code = 4429
)

// message of either protocol.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// frame is the message as it is sent.
func (m message) frame() []byte {
	text, err := json.Marshal(m)
	if err != nil {
		return nil // only a payload that is not JSON, and all of them come as JSON
	}
	return websocket.AppendFrame(nil, websocket.Text, text)
}
