package identity

import (
	"net/http"
	"net/netip"
)

// Peer is the address of the other end of a request's connection: the client's, or that of the last proxy. It is invalid when the
// server does not know. IPv4 addresses written as IPv6 count as IPv4.
func Peer(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}
