package proxy_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// service has one call that answers what it was authorized with, and one that does so for each message.
var service = grpc.ServiceDesc{
	ServiceName: "test.Echo", HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Ask", Handler: func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		in := &wrapperspb.StringValue{}
		if err := decode(in); err != nil {
			return nil, err
		}
		if in.Value == "fail" {
			return nil, status.Error(codes.NotFound, "no "+authorization(ctx))
		}
		return wrapperspb.String(in.Value + ": " + authorization(ctx)), nil
	}}},
	Streams: []grpc.StreamDesc{{StreamName: "Talk", ServerStreams: true, ClientStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
		for {
			in := &wrapperspb.StringValue{}
			if err := s.RecvMsg(in); err != nil {
				if errors.Is(err, io.EOF) {
					return nil
				}
				return err
			}
			if err := s.SendMsg(wrapperspb.String(in.Value + ": " + authorization(s.Context()))); err != nil {
				return err
			}
		}
	}}},
}

func authorization(ctx context.Context) string {
	md, _ := metadata.FromIncomingContext(ctx)
	return strings.Join(md.Get("authorization"), ",")
}

// grpcProgram calls as any program does.
func grpcProgram(address string) error {
	c, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{})))
	if err != nil {
		return err
	}
	defer c.Close()
	for _, options := range [][]grpc.CallOption{nil, {grpc.UseCompressor(gzip.Name)}} {
		ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+os.Getenv("TOKEN"))
		out := &wrapperspb.StringValue{}
		if err := c.Invoke(ctx, "/test.Echo/Ask", wrapperspb.String("ask"), out, options...); err != nil {
			return err
		}
		fmt.Println(out.Value)
		s, err := c.NewStream(ctx, &service.Streams[0], "/test.Echo/Talk", options...)
		if err != nil {
			return err
		}
		for _, word := range []string{"one", "two"} { // each is answered before the next is sent
			if err := errors.Join(s.SendMsg(wrapperspb.String(word)), s.RecvMsg(out)); err != nil {
				return err
			}
			fmt.Println(out.Value)
		}
		if err := s.CloseSend(); err != nil {
			return err
		}
		fmt.Println(c.Invoke(ctx, "/test.Echo/Ask", wrapperspb.String("fail"), out, options...))
		fmt.Println(c.Invoke(ctx, "/test.Echo/Ask", wrapperspb.String("take "+os.Getenv("TOKEN")), out, options...))
	}
	return nil
}

func TestPrograms_GRPC(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(testCA().config(host))))
	server.RegisterService(&service, nil)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	b := newBench(t, options{})
	_, at, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := runProgram(t, b, []string{self, host + ":" + at}, "", asProgram+"=grpc")
	half := fmt.Sprintf("ask: Bearer %[1]s\none: Bearer %[1]s\ntwo: Bearer %[1]s\nrpc error: code = NotFound desc = no Bearer %[1]s\n", b.holder("TOKEN"))
	parts := strings.Split(out, half)
	if len(parts) != 3 || strings.Count(out, "code = PermissionDenied") != 2 {
		t.Errorf("it printed %s; want twice %s", out, half)
	}
	refused := 0
	for _, line := range b.journal.lines() {
		if strings.HasPrefix(line, "TOKEN in body: POST /test.Echo/Ask: refused: ") {
			refused++
		}
	}
	if refused != 2 {
		t.Errorf("recorded %q", b.journal.lines())
	}
}

// websocketProgram talks as any program does.
func websocketProgram(address string) error {
	ctx := context.Background()
	c, answer, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPHeader: map[string][]string{"Authorization": {"Bearer " + os.Getenv("TOKEN")}}})
	if err != nil {
		return err
	}
	if answer.Body != nil {
		_ = answer.Body.Close()
	}
	if err := c.Write(ctx, websocket.MessageText, []byte("whoami")); err != nil {
		return err
	}
	_, message, err := c.Read(ctx)
	if err != nil {
		return err
	}
	fmt.Println(string(message))
	return c.Close(websocket.StatusNormalClosure, "")
}

func TestPrograms_WebSocket(t *testing.T) {
	t.Parallel()
	b := newBench(t, options{})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := runProgram(t, b, []string{self, "wss://" + host + ":" + echo(t) + "/"}, "", asProgram+"=websocket")
	if want := "Bearer " + b.holder("TOKEN") + "\n"; out != want {
		t.Errorf("it printed %q; want %q", out, want)
	}
}
