package websocket

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// Code says why a connection is closed (RFC 6455, section 7.4).
type Code uint16

// Codes that this package gives or understands.
const (
	Normal          Code = 1000
	GoingAway       Code = 1001
	ProtocolError   Code = 1002
	UnsupportedData Code = 1003
	NoStatus        Code = 1005 // never sent: the close frame had none
	Abnormal        Code = 1006 // never sent: there was no close frame
	InvalidData     Code = 1007
	PolicyViolation Code = 1008
	TooBig          Code = 1009
	InternalError   Code = 1011
	ServiceRestart  Code = 1012
	TryAgainLater   Code = 1013
)

// sendable says whether a close frame may have the code.
func (c Code) sendable() bool {
	switch {
	case c >= 3000 && c <= 4999:
		return true
	case c >= 1000 && c <= 1003, c >= 1007 && c <= 1014:
		return true
	}
	return false
}

// AppendClose appends a close frame. The reason is cut to what fits.
func AppendClose(dst []byte, code Code, reason string) []byte {
	if code == NoStatus {
		return AppendFrame(dst, Close, nil)
	}
	if len(reason) > MaxControl-2 {
		reason = strings.ToValidUTF8(reason[:MaxControl-2], "")
	}
	dst = AppendHeader(dst, Close, 2+len(reason))
	return append(binary.BigEndian.AppendUint16(dst, uint16(code)), reason...)
}

// readClose reads the payload of a close frame.
func readClose(payload []byte) (Code, string, error) {
	if len(payload) == 0 {
		return NoStatus, "", nil
	}
	if len(payload) == 1 {
		return 0, "", breach("a close frame has half a code")
	}
	code, reason := Code(binary.BigEndian.Uint16(payload)), payload[2:]
	switch {
	case !code.sendable():
		return 0, "", breach("a close frame has a code that is none")
	case !utf8.Valid(reason):
		return 0, "", &Error{InvalidData, "the reason of a close frame is not UTF-8"}
	}
	return code, string(reason), nil
}
