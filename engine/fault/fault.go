// Package fault is how the exchange refuses: a stable code that a program can
// act on, a sentence for a person, and a few details that are safe to show.
//
// A fault never wraps a technical error and says nothing that its reader may
// not know. Errors that are not faults are the operator's concern and are
// hidden at the edge. Which transport shows a code how is not known here.
package fault

import (
	"errors"
	"fmt"
)

// Error is a refusal. It is immutable once made.
type Error struct {
	Code    Code
	Message string
	Details map[string]string // small and safe to show; nil when there are none
}

// New returns a refusal. The pairs are names and values of details; a last
// name without a value is dropped.
func New(code Code, message string, pairs ...string) *Error {
	e := &Error{Code: code, Message: message}
	for i := 0; i+1 < len(pairs); i += 2 {
		if e.Details == nil {
			e.Details = make(map[string]string, len(pairs)/2)
		}
		e.Details[pairs[i]] = pairs[i+1]
	}
	return e
}

// Newf is New with a formatted message and no details.
func Newf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Error is the code and the sentence.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Is makes errors.Is compare refusals by their code alone.
func (e *Error) Is(target error) bool {
	var other *Error
	return errors.As(target, &other) && other.Code == e.Code
}

// CodeOf returns the code of the refusal within err, and "" when err is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
