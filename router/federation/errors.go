package federation

import (
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Codes of Error.
const (
	CodeSyntax      = "INVALID_GRAPHQL"
	CodeUnsupported = "UNSUPPORTED_LINKED_FEATURE"
	CodeInvalid     = "INVALID_SUPERGRAPH" // the schema contradicts itself or the join specification
)

// Error is why a text is no supergraph.
type Error struct {
	Code         string
	Message      string
	Line, Column int // from 1; 0: the text as a whole
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return "supergraph: " + e.Message
	}
	return fmt.Sprintf("supergraph: %d:%d: %s", e.Line, e.Column, e.Message)
}

func fail(code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// at says where an error is, unless something below already did.
func at(pos *ast.Position, err error) error {
	if err == nil || pos == nil {
		return err
	}
	e := asError(err)
	if e.Line == 0 {
		e.Line, e.Column = pos.Line, pos.Column
	}
	return e
}

// asError gives any error of loading its form. What stands around an *Error in a chain goes into the message.
func asError(err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		if known == err { //nolint:errorlint // the question is whether anything stands around it
			return known
		}
		outer := err.Error()
		return &Error{known.Code, outer[:len(outer)-len(known.Error())] + known.Message, known.Line, known.Column}
	}
	e := &Error{Code: CodeInvalid, Message: err.Error()}
	if g, ok := err.(*gqlerror.Error); ok && len(g.Locations) > 0 { //nolint:errorlint // inside a field set it would be a place in there
		e.Message, e.Line, e.Column = g.Message, g.Locations[0].Line, g.Locations[0].Column
	}
	return e
}
