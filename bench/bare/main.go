// Bare is a net/http handler that answers every request with 300 bytes of JSON: the limit of this machine for any server in Go.
package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	body := append([]byte(`{"data":"`), bytes.Repeat([]byte("x"), 289)...)
	body = append(body, '"', '}')
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})}
	fmt.Fprintln(os.Stderr, s.Serve(l))
	os.Exit(1)
}
