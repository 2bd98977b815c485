package vaultclient

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// NotSent is a request that [Client.DryRun] kept from being sent.
type NotSent struct {
	Method, URL string
	Header      http.Header
	Body        []byte
	stream      bool
	tls         TLS
}

func (n *NotSent) Error() string { return "the request was not sent" }

// Curl is the request as a command line. The token is not in it: it is what `zvault print token` prints.
func (n *NotSent) Curl() string {
	words := []string{"curl"}
	if n.tls.SkipVerify {
		words = append(words, "--insecure")
	}
	if n.Method != http.MethodGet {
		words = append(words, "-X", n.Method)
	}
	for _, f := range [][2]string{{"--cacert", n.tls.CACert}, {"--capath", n.tls.CAPath}, {"--cert", n.tls.ClientCert}, {"--key", n.tls.ClientKey}} {
		if f[1] != "" {
			words = append(words, f[0], single(f[1]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(n.Header)) {
		for _, value := range n.Header[name] {
			text := double(name + ": " + value)
			if name == "X-Vault-Token" {
				text = `"X-Vault-Token: $(zvault print token)"`
			}
			words = append(words, "-H", text)
		}
	}
	if len(n.Body) > 0 {
		words = append(words, "-d", single(string(n.Body)))
	}
	if n.stream {
		words = append(words, "--data-binary", "@-")
	}
	return strings.Join(append(words, double(n.URL)), " ")
}

// single quotes a word for a POSIX shell so that nothing in it is special.
func single(s string) string { return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'" }

// double quotes a word for a POSIX shell; what a shell would replace is escaped.
func double(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(s) + `"`
}
