package authority

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"os"
)

// rootFiles are where systems keep the certificates that they trust.
var rootFiles = [...]string{
	"/etc/ssl/certs/ca-certificates.crt",                // Debian, Arch, Alpine with ca-certificates
	"/etc/pki/tls/certs/ca-bundle.crt",                  // Fedora
	"/etc/ssl/ca-bundle.pem",                            // openSUSE
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // RHEL
	"/etc/ssl/cert.pem",                                 // Alpine, macOS, BSD
}

// trusting are the variables by which a person names a file with certificates to trust.
var trusting = [...]string{"SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "AWS_CA_BUNDLE"}

// systemRoots returns the certificates that programs trust without us, in PEM: the system's, and those of files that the
// environment names. Each is there once. It returns nothing where the system keeps none in a file.
func systemRoots(getenv func(string) string) ([]byte, error) {
	var files []string
	for _, name := range trusting {
		if file := getenv(name); file != "" {
			files = append(files, file)
		}
	}
	for _, file := range rootFiles {
		if _, err := os.Stat(file); err == nil {
			files = append(files, file)
			break
		}
	}
	var out []byte
	read, seen := map[string]bool{}, map[string]bool{}
	for _, file := range files {
		if read[file] {
			continue
		}
		read[file] = true
		data, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // a program that trusted it would complain, not us
		}
		if err != nil {
			return nil, fmt.Errorf("reading certificates: %w", err)
		}
		if len(read) == 1 {
			out = append(data, '\n')
			continue
		}
		if len(seen) == 0 {
			note(out, seen)
		}
		out = append(out, missing(data, seen)...)
	}
	return out, nil
}

func note(data []byte, seen map[string]bool) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		seen[string(block.Bytes)] = true
	}
}

// missing returns the certificates of data that were not seen yet.
func missing(data []byte, seen map[string]bool) []byte {
	var out bytes.Buffer
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" && !seen[string(block.Bytes)] {
			seen[string(block.Bytes)] = true
			out.Write(pem.EncodeToMemory(block))
		}
	}
	return out.Bytes()
}
