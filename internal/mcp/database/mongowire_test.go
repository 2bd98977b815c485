package database_test

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// mongoServer speaks as much of MongoDB's wire protocol as the tests need: OP_MSG (and OP_QUERY for the first hello), SCRAM-SHA-256 and
// commands that a function answers. A real mongod cannot be had where this is tested; the shapes are those of the public
// documentation ("MongoDB Wire Protocol", "Database Commands", RFC 7677).
type mongoServer struct {
	t        *testing.T
	user     string
	password string
	answer   func(bson.D) bson.D

	mu       sync.Mutex
	commands []bson.D
}

func startMongo(t *testing.T, answer func(bson.D) bson.D) (*mongoServer, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &mongoServer{t: t, user: "reader", password: "m0ngo-p4ss", answer: answer}
	var group sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			group.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		group.Wait()
	})
	return s, l.Addr().String()
}

// asked are the commands that came, without those of the driver's own.
func (s *mongoServer) asked() []bson.D {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]bson.D{}, s.commands...)
}

func (s *mongoServer) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	session := &scramSession{server: s}
	for {
		header := make([]byte, 16)
		if _, err := io.ReadFull(c, header); err != nil {
			return
		}
		size := binary.LittleEndian.Uint32(header)
		if size < 16 || size > 1<<20 {
			return
		}
		body := make([]byte, size-16)
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		code := binary.LittleEndian.Uint32(header[12:])
		var raw []byte
		switch code {
		case 2013: // flags, then a section of kind 0
			raw = body[5:]
		case 2004: // flags, name of the collection, two numbers
			raw = body[4:]
			raw = raw[strings.IndexByte(string(raw), 0)+1+8:]
		default:
			return
		}
		var command bson.D
		if err := bson.Unmarshal(raw, &command); err != nil {
			return
		}
		reply, err := bson.Marshal(s.handle(session, command))
		if err != nil {
			s.t.Error(err)
			return
		}
		if _, err := c.Write(frame(code, header[4:8], reply)); err != nil {
			return
		}
	}
}

// frame wraps a document as the answer to a request.
func frame(code uint32, request, document []byte) []byte {
	prefix := []byte{0, 0, 0, 0, 0}
	answer := uint32(2013)
	if code == 2004 {
		prefix, answer = make([]byte, 20), 1
		prefix[16] = 1 // how many documents
	}
	out := make([]byte, 16, 16+len(prefix)+len(document))
	binary.LittleEndian.PutUint32(out, uint32(cap(out)))
	copy(out[8:], request)
	binary.LittleEndian.PutUint32(out[12:], answer)
	return append(append(out, prefix...), document...)
}

func (s *mongoServer) handle(session *scramSession, command bson.D) bson.D {
	switch name := command[0].Key; name {
	case "hello", "isMaster", "ismaster":
		return bson.D{{Key: "ok", Value: 1.0}, {Key: "isWritablePrimary", Value: true}, {Key: "ismaster", Value: true}, {Key: "helloOk", Value: true},
			{Key: "maxBsonObjectSize", Value: int32(16 << 20)}, {Key: "maxMessageSizeBytes", Value: int32(48000000)}, {Key: "maxWriteBatchSize", Value: int32(100000)},
			{Key: "minWireVersion", Value: int32(0)}, {Key: "maxWireVersion", Value: int32(21)}, {Key: "saslSupportedMechs", Value: bson.A{"SCRAM-SHA-256"}}}
	case "saslStart", "saslContinue":
		return session.step(command)
	default:
		if !session.done {
			return refused(13, "Unauthorized", "command "+name+" requires authentication")
		}
		if name == "endSessions" {
			return bson.D{{Key: "ok", Value: 1.0}}
		}
		s.mu.Lock()
		s.commands = append(s.commands, command)
		s.mu.Unlock()
		return s.answer(command)
	}
}

func refused(code int32, name, message string) bson.D {
	return bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: code}, {Key: "codeName", Value: name}, {Key: "errmsg", Value: message}}
}

// scramSession is the server's side of SCRAM-SHA-256.
type scramSession struct {
	server *mongoServer
	first  string // the client's first message without its head, and ours
	nonce  string
	salted []byte
	done   bool
}

func field(d bson.D, name string) any {
	for _, e := range d {
		if e.Key == name {
			return e.Value
		}
	}
	return nil
}

func (x *scramSession) step(command bson.D) bson.D {
	payload, ok := field(command, "payload").(bson.Binary)
	if !ok {
		return refused(17, "ProtocolError", "no payload")
	}
	text := string(payload.Data)
	reply := func(s string, done bool) bson.D {
		return bson.D{{Key: "ok", Value: 1.0}, {Key: "conversationId", Value: int32(1)}, {Key: "done", Value: done}, {Key: "payload", Value: bson.Binary{Data: []byte(s)}}}
	}
	if command[0].Key == "saslStart" {
		bare := strings.TrimPrefix(text, "n,,")
		if !strings.HasPrefix(bare, "n="+x.server.user+",r=") {
			return refused(18, "AuthenticationFailed", "Authentication failed.")
		}
		x.nonce = strings.TrimPrefix(bare, "n="+x.server.user+",r=") + rand.Text()
		salt := []byte("a salt of sorts")
		var err error
		if x.salted, err = pbkdf2.Key(sha256.New, x.server.password, salt, 4096, 32); err != nil {
			return refused(1, "InternalError", "pbkdf2")
		}
		first := fmt.Sprintf("r=%s,s=%s,i=4096", x.nonce, base64.StdEncoding.EncodeToString(salt))
		x.first = bare + "," + first
		return reply(first, false)
	}
	if x.done { // the empty message at the end
		return reply("", true)
	}
	without, proof, _ := strings.Cut(text, ",p=")
	auth := x.first + "," + without
	sum := func(key []byte, s string) []byte {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(s))
		return m.Sum(nil)
	}
	client := sum(x.salted, "Client Key")
	stored := sha256.Sum256(client)
	signature := sum(stored[:], auth)
	for i := range client {
		client[i] ^= signature[i]
	}
	if !hmac.Equal([]byte(proof), []byte(base64.StdEncoding.EncodeToString(client))) {
		return refused(18, "AuthenticationFailed", "Authentication failed.")
	}
	x.done = true
	return reply("v="+base64.StdEncoding.EncodeToString(sum(sum(x.salted, "Server Key"), auth)), true)
}
