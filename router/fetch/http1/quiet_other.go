//go:build !unix

package http1

import "net"

// quiet cannot be told here.
func quiet(net.Conn) (open, told bool) { return false, false }
