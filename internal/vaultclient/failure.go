package vaultclient

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxError is how much of an answer that says no is read.
const maxError = 1 << 20

// ResponseError is an answer of 400 or more.
type ResponseError struct {
	Method, URL string
	Status      int
	// Namespace is the one that the server says it answered for.
	Namespace string
	// Errors are the server's texts. Raw says that the body was not Vault's JSON; it is then the one text.
	Errors []string
	Raw    bool
}

// Error has the shape that scripts around Vault's command line look at: the URL, the code, and the texts as a list.
func (e *ResponseError) Error() string {
	var b strings.Builder
	b.WriteString("Error making API request.\n\n")
	if e.Namespace != "" && e.Namespace != "root/" {
		fmt.Fprintf(&b, "Namespace: %s\n", e.Namespace)
	}
	what := "Errors"
	if e.Raw {
		what = "Raw Message"
	}
	fmt.Fprintf(&b, "URL: %s %s\nCode: %d. %s:\n\n", e.Method, e.URL, e.Status, what)
	if e.Raw {
		b.WriteString(strings.Join(e.Errors, "\n"))
		return b.String()
	}
	for i, text := range e.Errors {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString("* " + text)
	}
	return b.String()
}

// StatusOf is the HTTP status that an error came with; 0 if the server did not answer.
func StatusOf(err error) int {
	var e *ResponseError
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// failure reads an answer of 400 or more, and leaves its body to be read again. 429 of sys/health is a standby's good health.
func (c *Client) failure(method string, target *url.URL, answer *http.Response) error {
	if answer.StatusCode < 400 || answer.StatusCode == http.StatusTooManyRequests && strings.HasSuffix(target.Path, "/v1/sys/health") {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxError))
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	original := answer.Body
	answer.Body = &closing{ReadCloser: io.NopCloser(bytes.NewReader(body)), done: func() { _ = original.Close() }}
	e := &ResponseError{Method: method, URL: target.String(), Status: answer.StatusCode, Namespace: answer.Header.Get("X-Vault-Namespace")}
	var reply struct {
		Errors []string `json:"errors"`
	}
	if json.Unmarshal(body, &reply) != nil {
		e.Raw, reply.Errors = true, []string{string(body)}
	}
	e.Errors = reply.Errors
	return e
}

// isCertificate reports whether the two ends do not trust each other, which repeating does not mend.
func isCertificate(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var header tls.RecordHeaderError
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &header)
}
