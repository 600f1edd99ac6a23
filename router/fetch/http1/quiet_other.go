//go:build !unix

package http1

import "net"

// quiet cannot be told here: whoever must know takes a new connection.
func quiet(net.Conn) bool { return false }
