package config

import (
	"os"
	"sync"
	"time"
)

// logFile appends lines to a file, and begins a new one when the old one was moved away, as programs do that keep logs small.
type logFile struct {
	path string

	mu     sync.Mutex
	file   *os.File
	looked time.Time // whether the file is still where it was
}

// lookEvery is how often a logFile looks whether its file is still there.
const lookEvery = time.Second

func openLog(path string) (*logFile, error) {
	f, err := appendTo(path)
	if err != nil {
		return nil, err
	}
	return &logFile{path: path, file: f, looked: time.Now()}, nil
}

func appendTo(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
}

// Write implements io.Writer.
func (l *logFile) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.looked) >= lookEvery {
		l.looked = now
		l.follow()
	}
	return l.file.Write(line)
}

// follow opens the file anew where another is in its place, or none. When that fails, lines still go where they went.
func (l *logFile) follow() {
	here, err := l.file.Stat()
	if err != nil {
		return
	}
	if there, err := os.Stat(l.path); err == nil && os.SameFile(here, there) {
		return
	}
	f, err := appendTo(l.path)
	if err != nil {
		return
	}
	_ = l.file.Close() // what was written to it is with the system
	l.file = f
}

// Close implements io.Closer.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
