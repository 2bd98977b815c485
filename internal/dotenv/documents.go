package dotenv

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// jsonString writes a string that JSON and YAML read alike.
func jsonString(s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, refuse("the value is not UTF-8")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(bytes.ReplaceAll(b.Bytes(), []byte{0x7f}, []byte(`\u007f`)), []byte("\n")), nil
}

// writeJSON keeps the order of the variables, which a map would not.
func writeJSON(variables []Variable) ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, v := range variables {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := pair(&out, "\n  ", v, ": "); err != nil {
			return nil, err
		}
	}
	if len(variables) > 0 {
		out.WriteByte('\n')
	}
	out.WriteString("}\n")
	return out.Bytes(), nil
}

func writeYAML(variables []Variable) ([]byte, error) {
	if len(variables) == 0 {
		return []byte("{}\n"), nil
	}
	var out bytes.Buffer
	for _, v := range variables {
		if err := pair(&out, "", v, ": "); err != nil {
			return nil, err
		}
		out.WriteByte('\n')
	}
	return out.Bytes(), nil
}

func pair(out *bytes.Buffer, indent string, v Variable, colon string) error {
	name, err := jsonString(v.Name)
	if err != nil {
		return fmt.Errorf("%s: %w", shownName(v.Name), err)
	}
	value, err := jsonString(string(v.Value.Reveal()))
	if err != nil {
		return fmt.Errorf("%s: %w", shownName(v.Name), err)
	}
	out.WriteString(indent)
	out.Write(name)
	out.WriteString(colon)
	out.Write(value)
	return nil
}

// writeManifest writes a Secret of Kubernetes. Its data may be any bytes; its keys are what plainName allows.
func writeManifest(name string, variables []Variable) ([]byte, error) {
	if !validObjectName(name) {
		return nil, fmt.Errorf("a Secret needs a name of lower-case letters, digits, '-' and '.', not %q", name)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: %q\ntype: Opaque\n", name)
	if len(variables) == 0 {
		out.WriteString("data: {}\n")
		return out.Bytes(), nil
	}
	out.WriteString("data:\n")
	for _, v := range variables {
		if err := plainName(v.Name); err != nil || v.Name == "." || v.Name == ".." || len(v.Name) > 253 {
			return nil, fmt.Errorf("%s as %s: %w", shownName(v.Name), Kubernetes, refuse("the name cannot be a key of a Secret"))
		}
		fmt.Fprintf(&out, "  %q: %s\n", v.Name, base64.StdEncoding.EncodeToString(v.Value.Reveal()))
	}
	return out.Bytes(), nil
}

func validObjectName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for i := range len(name) {
		c := name[i]
		edge := i == 0 || i == len(name)-1
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || (c == '-' || c == '.') && !edge) {
			return false
		}
	}
	return true
}
