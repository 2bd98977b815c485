package logical

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is a failure that the client is told of, with the status and the texts it gets.
type Error struct {
	Status int
	Errors []string       // nil: a body of {"errors":[]}
	Data   map[string]any // makes the response {"data":…} with the errors in it, as partial batches need
	// BadCredentials says that somebody tried to sign in with what is not right; such attempts are counted.
	BadCredentials bool
}

// Error returns the texts.
func (e *Error) Error() string {
	if len(e.Errors) == 0 {
		return http.StatusText(e.Status)
	}
	return e.Errors[0]
}

// The errors that many backends return.
var (
	// ErrPermissionDenied is 403, whatever the reason: the client is not told.
	ErrPermissionDenied = &Error{Status: http.StatusForbidden, Errors: []string{"permission denied"}}
	// ErrUnsupportedPath is returned for a path that no route matches.
	ErrUnsupportedPath = &Error{Status: http.StatusNotFound, Errors: []string{"unsupported path"}}
	// ErrUnsupportedOperation is returned for a route without a handler for the operation.
	ErrUnsupportedOperation = &Error{Status: http.StatusMethodNotAllowed, Errors: []string{"unsupported operation"}}
	// ErrNotFound is 404 without a text, what Vault answers for a read or a list of nothing.
	ErrNotFound = &Error{Status: http.StatusNotFound}
)

// Invalid is a mistake of the client's: 400.
func Invalid(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Errors: []string{fmt.Sprintf(format, args...)}}
}

// Fail is an error with a status of its own.
func Fail(status int, format string, args ...any) *Error {
	return &Error{Status: status, Errors: []string{fmt.Sprintf(format, args...)}}
}

// BadCredentials is what a failed login answers: 400, and no word on what was wrong beyond the text.
func BadCredentials(text string) *Error {
	return &Error{Status: http.StatusBadRequest, Errors: []string{text}, BadCredentials: true}
}

// StatusOf returns the status that err answers with, 500 for what is not an Error.
func StatusOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return http.StatusInternalServerError
}
