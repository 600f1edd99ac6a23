package postgres

import (
	"fmt"
	"os"
	"strings"
)

// isServerOf tells whether the process is alive and serves data. A zombie has no arguments left and so is nobody's server.
func isServerOf(pid int, data string) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	return servesData(strings.Split(strings.TrimRight(string(raw), "\x00"), "\x00"), data)
}
