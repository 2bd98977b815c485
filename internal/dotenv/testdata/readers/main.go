// Readers reads files of variables with the code that compose, docker and Kubernetes themselves read them with. It takes one
// JSON object a line, {"dialect": D, "src": base64}, and answers with the variables, or {"error": text}.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/docker/cli/pkg/kvfile"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

type request struct {
	Dialect string
	Src     []byte
}

type answer struct {
	Values map[string][]byte `json:"values"`
	Error  string            `json:"error,omitempty"`
}

func main() {
	in, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var r request
		a := answer{Values: map[string][]byte{}}
		err := json.Unmarshal(in.Bytes(), &r)
		if err == nil {
			err = read(r, a.Values)
		}
		if err != nil {
			a.Error = err.Error()
		}
		if err := out.Encode(a); err != nil {
			panic(err)
		}
	}
}

func read(r request, values map[string][]byte) error {
	switch r.Dialect {
	case "compose":
		all, err := dotenv.ParseWithLookup(bytes.NewReader(r.Src), func(string) (string, bool) { return "", false })
		for k, v := range all {
			values[k] = []byte(v)
		}
		return err
	case "docker":
		return docker(r.Src, values)
	case "k8s":
		var s corev1.Secret
		err := yaml.UnmarshalStrict(r.Src, &s)
		if err == nil && (s.Kind != "Secret" || s.APIVersion != "v1" || s.Name == "") {
			err = fmt.Errorf("not a named Secret of v1")
		}
		for k, v := range s.StringData {
			values[k] = []byte(v)
		}
		for k, v := range s.Data {
			values[k] = v
		}
		return err
	}
	return fmt.Errorf("unknown dialect %q", r.Dialect)
}

func docker(src []byte, values map[string][]byte) error {
	f, err := os.CreateTemp("", "readers")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if _, err := f.Write(src); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	lines, err := kvfile.Parse(f.Name(), func(string) (string, bool) { return "", false })
	for _, l := range lines {
		k, v, _ := strings.Cut(l, "=")
		values[k] = []byte(v)
	}
	return err
}
