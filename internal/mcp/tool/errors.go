package tool

import "fmt"

// Error is a failure that the model can act on. Its text is shown to the model, after redaction.
type Error struct {
	Code    string // stable, for programs: "invalid", "not_found", "denied", "unreachable", "timeout", "sealed", "failed"
	Message string // what is wrong, and what to do
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Invalid is an Error about the arguments.
func Invalid(format string, a ...any) *Error {
	return &Error{"invalid", fmt.Sprintf(format, a...)}
}

// Failed is an Error with a code of its own.
func Failed(code, format string, a ...any) *Error {
	return &Error{code, fmt.Sprintf(format, a...)}
}
