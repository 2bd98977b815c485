// Command readers answers what docker and compose make of a file. It is a module of its own, so that their code stays out
// of ours. A request is a line of JSON {"op": "docker" or "compose", "src": base64}; the answer is {"pairs": [[name, value]…],
// "error": text}, both of a pair in base64.
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
)

type request struct {
	Op  string
	Src []byte
}

type answer struct {
	Pairs [][2][]byte `json:"pairs"`
	Error string      `json:"error,omitempty"`
}

// environ is what expansions find.
func environ(name string) (string, bool) {
	v, ok := map[string]string{"HOME": "/expanded", "A": "expanded", "OUTER": "from outside"}[name]
	return v, ok
}

func read(r request) (pairs [][2][]byte, err error) {
	switch r.Op {
	case "docker":
		lines, err := kvfile.ParseFromReader(bytes.NewReader(r.Src), environ)
		for _, line := range lines {
			name, value, _ := strings.Cut(line, "=")
			pairs = append(pairs, [2][]byte{[]byte(name), []byte(value)})
		}
		return pairs, err
	case "compose":
		all, err := dotenv.ParseWithLookup(bytes.NewReader(r.Src), environ)
		for name, value := range all {
			pairs = append(pairs, [2][]byte{[]byte(name), []byte(value)})
		}
		return pairs, err
	}
	return nil, fmt.Errorf("no reader %q", r.Op)
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var r request
		var a answer
		err := json.Unmarshal(in.Bytes(), &r)
		if err == nil {
			a.Pairs, err = read(r)
		}
		if err != nil {
			a = answer{Error: err.Error()}
		}
		if err := out.Encode(a); err != nil {
			os.Exit(1)
		}
	}
}
