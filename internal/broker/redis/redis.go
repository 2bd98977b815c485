// Package redis brokers Redis logins. The program's connection goes to the server as it is, but for AUTH and HELLO … AUTH: where
// they hold the password of the run, the real one takes its place, so that answers stay in their order. The format is that of
// "Redis serialization protocol specification" in Redis' documentation.
package redis

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"

	"github.com/ArcadeLabsInc/zvault/internal/broker"
)

const (
	// maxHead bounds a line and an argument of AUTH and HELLO; maxArguments the arguments that are looked at.
	maxHead      = 4096
	maxArguments = 1 << 20
)

var errSyntax = errors.New("not a command of Redis' protocol")

// Handle serves one connection of a program. It is a broker.Handler.
func Handle(ctx context.Context, program net.Conn, o *broker.Options) error {
	dialing, cancel := context.WithTimeout(ctx, broker.LoginTime)
	defer cancel()
	server, err := o.Connect(dialing)
	if err == nil && o.Login.TLS != nil {
		secured := tls.Client(server, o.Login.TLS)
		if err = secured.HandshakeContext(dialing); err != nil {
			err = errors.Join(err, server.Close())
		}
		server = secured
	}
	if err != nil {
		_, _ = io.WriteString(program, "-ERR zvault: the server cannot be logged in to; the shield says why\r\n") // it may be gone
		return err
	}
	r := &rewriter{o: o}
	broker.Relay(program, server, program, o.Masks, func(w io.Writer, from io.Reader) error {
		if r.err = r.run(w, from); errors.Is(r.err, broker.ErrPassword) {
			_, _ = io.WriteString(program, "-WRONGPASS zvault: this broker takes the password of the run\r\n") // it may be gone
		}
		return r.err
	})
	if r.err != nil && !errors.Is(r.err, io.EOF) && !errors.Is(r.err, net.ErrClosed) {
		return r.err
	}
	return nil
}

// rewriter passes commands on.
type rewriter struct {
	o   *broker.Options
	err error
}

func (r *rewriter) run(w io.Writer, from io.Reader) error {
	in, out := bufio.NewReaderSize(from, 64<<10), bufio.NewWriterSize(w, 64<<10)
	for {
		if in.Buffered() == 0 { // nothing more is at hand: what is written so far must not wait
			if err := out.Flush(); err != nil {
				return err
			}
		}
		if err := r.command(out, in); err != nil {
			return errors.Join(err, out.Flush())
		}
	}
}

// command passes one command on.
func (r *rewriter) command(out *bufio.Writer, in *bufio.Reader) error {
	line, err := readLine(in)
	if err != nil {
		return err
	}
	if len(line) == 0 || line[0] != '*' {
		return r.inline(out, line)
	}
	n, err := number(line[1:])
	if err != nil || n > maxArguments {
		return errSyntax
	}
	if n <= 0 {
		return passLine(out, line)
	}
	name, size, err := firstArgument(in)
	if err != nil {
		return err
	}
	if name != nil && (isWord(name, "AUTH") || isWord(name, "HELLO")) {
		arguments := [][]byte{name}
		for range n - 1 {
			a, err := argument(in, maxHead)
			if err != nil {
				return err
			}
			arguments = append(arguments, a)
		}
		if arguments, err = r.credentials(arguments); err != nil {
			return err
		}
		return writeCommand(out, arguments)
	}
	if err := passLine(out, line); err != nil {
		return err
	}
	if err := passBulk(out, in, name, size); err != nil {
		return err
	}
	for range n - 1 {
		if err := passArgument(out, in); err != nil {
			return err
		}
	}
	return nil
}

// inline passes a command on that is one line of words, as people type it.
func (r *rewriter) inline(out *bufio.Writer, line []byte) error {
	words := bytes.Fields(line)
	if len(words) == 0 || !isWord(words[0], "AUTH") && !isWord(words[0], "HELLO") {
		return passLine(out, line)
	}
	words, err := r.credentials(words)
	if err != nil {
		return err
	}
	return writeCommand(out, words)
}

// credentials puts the real user and password into AUTH and HELLO.
func (r *rewriter) credentials(words [][]byte) ([][]byte, error) {
	if isWord(words[0], "AUTH") {
		if len(words) < 2 || len(words) > 3 {
			return words, nil // the server says what is wrong with it
		}
		if !r.o.Admits(words[len(words)-1]) {
			return nil, broker.ErrPassword
		}
		if r.o.Login.User == "" {
			return [][]byte{words[0], r.o.Login.Password.Reveal()}, nil
		}
		return [][]byte{words[0], []byte(r.o.Login.User), r.o.Login.Password.Reveal()}, nil
	}
	for i := 1; i < len(words); i++ {
		if !isWord(words[i], "AUTH") || i+2 >= len(words) {
			continue
		}
		if !r.o.Admits(words[i+2]) {
			return nil, broker.ErrPassword
		}
		user := r.o.Login.User
		if user == "" {
			user = "default"
		}
		words[i+1], words[i+2] = []byte(user), r.o.Login.Password.Reveal()
		break
	}
	return words, nil
}

func isWord(b []byte, word string) bool { return bytes.EqualFold(b, []byte(word)) }

// readLine reads a line without its end.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, errSyntax
	}
	if err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
}

func number(b []byte) (int, error) {
	n, err := strconv.Atoi(string(b))
	if err != nil {
		return 0, errSyntax
	}
	return n, nil
}

// bulkSize reads the line before an argument.
func bulkSize(in *bufio.Reader) (int, error) {
	line, err := readLine(in)
	if err != nil {
		return 0, err
	}
	if len(line) == 0 || line[0] != '$' {
		return 0, errSyntax
	}
	n, err := number(line[1:])
	if err != nil || n < 0 || n > 512<<20 {
		return 0, errSyntax
	}
	return n, nil
}

// firstArgument reads a command's name; nil and its size for one that is too long to be a name, of which nothing is read then.
func firstArgument(in *bufio.Reader) (name []byte, size int, err error) {
	size, err = bulkSize(in)
	if err != nil || size > maxHead {
		return nil, size, err
	}
	name, err = body(in, size)
	return name, size, err
}

func argument(in *bufio.Reader, limit int) ([]byte, error) {
	size, err := bulkSize(in)
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, errSyntax
	}
	return body(in, size)
}

// body reads an argument and the end of its line.
func body(in *bufio.Reader, size int) ([]byte, error) {
	b := make([]byte, size+2)
	if _, err := io.ReadFull(in, b); err != nil {
		return nil, err
	}
	if b[size] != '\r' || b[size+1] != '\n' {
		return nil, errSyntax
	}
	return b[:size], nil
}

func passLine(out *bufio.Writer, line []byte) error {
	_, err := out.Write(line)
	if err == nil {
		_, err = out.WriteString("\r\n")
	}
	return err
}

// passBulk passes an argument on; known is it if it was read already.
func passBulk(out *bufio.Writer, in *bufio.Reader, known []byte, size int) error {
	if _, err := fmt.Fprintf(out, "$%d\r\n", size); err != nil {
		return err
	}
	if known != nil {
		return passLine(out, known)
	}
	_, err := io.CopyN(out, in, int64(size)+2)
	return err
}

func passArgument(out *bufio.Writer, in *bufio.Reader) error {
	size, err := bulkSize(in)
	if err != nil {
		return err
	}
	return passBulk(out, in, nil, size)
}

func writeCommand(out *bufio.Writer, arguments [][]byte) error {
	if _, err := fmt.Fprintf(out, "*%d\r\n", len(arguments)); err != nil {
		return err
	}
	for _, a := range arguments {
		if err := passBulk(out, nil, a, len(a)); err != nil {
			return err
		}
	}
	return nil
}
