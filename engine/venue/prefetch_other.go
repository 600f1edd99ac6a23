//go:build !amd64

package venue

import "unsafe"

// prefetch does nothing where it has not been written.
func prefetch(unsafe.Pointer) {}
