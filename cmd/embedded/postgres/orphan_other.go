//go:build unix && !linux

package postgres

import (
	"os/exec"
	"strconv"
	"strings"
)

// isServerOf tells whether the process is alive and serves data. ps joins arguments with spaces, so the directory is looked for in the
// text as a whole.
func isServerOf(pid int, data string) bool {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return false
	}
	text := strings.TrimSpace(string(out))
	program, _, _ := strings.Cut(text, " -D ")
	if strings.Contains(text, " -D "+data+" ") {
		return servesData([]string{program, "-D", data}, data)
	}
	return false
}
