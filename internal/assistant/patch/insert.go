package patch

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/tailscale/hujson"
)

// items is an object or an array as a list of places.
type items struct {
	start, end int // of the brackets
	starts     []int
	values     []*hujson.Value
	before     []hujson.Extra
	after      hujson.Extra // before the closing bracket
	trailing   bool         // a comma stands after the last one
}

func itemsOf(v *hujson.Value) items {
	all := items{start: v.StartOffset, end: v.EndOffset}
	switch c := v.Value.(type) {
	case *hujson.Object:
		all.after = c.AfterExtra
		for i := range c.Members {
			all.add(&c.Members[i].Name, &c.Members[i].Value)
		}
	case *hujson.Array:
		all.after = c.AfterExtra
		for i := range c.Elements {
			all.add(&c.Elements[i], &c.Elements[i])
		}
	}
	if n := len(all.values); n > 0 {
		all.trailing = all.values[n-1].AfterExtra != nil
	}
	return all
}

func (all *items) add(first, value *hujson.Value) {
	all.starts = append(all.starts, first.StartOffset)
	all.before = append(all.before, first.BeforeExtra)
	all.values = append(all.values, value)
}

// comma is where the comma after an item stands.
func (all items) comma(i int) int { return all.values[i].EndOffset + len(all.values[i].AfterExtra) }

// add puts a value into the container at a path, as a member if it has a key, and makes what is missing on the way.
func add(text []byte, path []string, key, value string) ([]Splice, []string, error) {
	d, err := parseJSON(text)
	if err != nil {
		return nil, nil, err
	}
	if d.blank() {
		inner, _ := wrap(path, key, value)
		whole := d.render(inner, "") + d.newline
		made := append([]string{""}, madeOf(path, path)...)
		return []Splice{{Offset: d.shift, Removed: string(d.text), Inserted: whole}}, made, nil
	}
	at, left, err := d.walk(path)
	if err != nil {
		return nil, nil, err
	}
	if _, isObject := at.Value.(*hujson.Object); (len(left) > 0 || key != "") && !isObject {
		return nil, nil, d.errorAt(at.StartOffset, "%s is not an object: %w", title(path[:len(path)-len(left)]), ErrTaken)
	}
	if len(left) > 0 {
		value, _ = wrap(left[1:], key, value)
		key = left[0]
	}
	return d.insert(itemsOf(at), key, value), madeOf(path, left), nil
}

// wrap puts a value into objects, or into an array if it has no key.
func wrap(path []string, key, value string) (string, error) {
	var b strings.Builder
	for _, name := range path {
		b.WriteString("{" + quote(name) + ":")
	}
	if key == "" {
		b.WriteString("[" + value + "]")
	} else {
		b.WriteString("{" + quote(key) + ":" + value + "}")
	}
	b.WriteString(strings.Repeat("}", len(path)))
	return b.String(), nil
}

// madeOf names the containers of a path that are missing.
func madeOf(path, left []string) []string {
	var made []string
	for i := len(path) - len(left); i < len(path); i++ {
		made = append(made, strings.Join(path[:i+1], "."))
	}
	return made
}

func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return strings.TrimSpace(b.String())
}

// render indents a value for a place.
func (d *document) render(value, indent string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(value), indent, d.unit) != nil {
		return value
	}
	return withNewline(b.String(), d.newline)
}

// insert adds an item at the end of a container.
func (d *document) insert(all items, key, value string) []Splice {
	name, compact := "", ""
	if key != "" {
		name, compact = quote(key)+": ", quote(key)+": "
	}
	base := d.lineIndent(all.start)
	indent := base + d.unit
	inner := d.text[all.start:all.end]
	n := len(all.values)
	if n == 0 {
		// Only what is blank before the closing bracket is replaced; comments stay.
		kept := bytes.TrimRight(inner[:len(inner)-1], " \t\r\n")
		blank := string(inner[len(kept) : len(inner)-1])
		text := d.newline + indent + name + d.render(value, indent) + d.newline + base
		return d.shifted(Splice{Offset: all.start + len(kept), Removed: blank, Inserted: text})
	}
	last := all.values[n-1]
	if at := bytes.LastIndexByte(all.before[n-1], '\n'); at >= 0 {
		if own := string(all.before[n-1][at+1:]); strings.Trim(own, " \t") == "" {
			indent = own
		}
	}
	text := d.newline + indent + name + d.render(value, indent)
	if !bytes.Contains(inner, []byte("\n")) {
		var b bytes.Buffer
		if json.Compact(&b, []byte(value)) == nil {
			value = b.String()
		}
		text = " " + compact + value
	}
	if all.trailing {
		return d.shifted(Splice{Offset: d.lineEnd(all.comma(n-1)+1, all.end-1), Inserted: text + ","})
	}
	// A comment at the end of the last line stays with its line, so the comma goes before it and the rest behind it.
	end := d.lineEnd(last.EndOffset, all.end-1)
	if end == last.EndOffset {
		return d.shifted(Splice{Offset: end, Inserted: "," + text})
	}
	return d.shifted(Splice{Offset: last.EndOffset, Inserted: ","}, Splice{Offset: end + 1, Inserted: text})
}

// lineEnd is the end of the comment that follows on the same line, or from itself if there is none.
func (d *document) lineEnd(from, limit int) int {
	line := d.text[from:limit]
	if at := bytes.IndexByte(line, '\n'); at >= 0 {
		line = line[:at]
	}
	return from + len(bytes.TrimRight(line, " \t\r"))
}

// lineIndent is what the line of a place begins with.
func (d *document) lineIndent(offset int) string {
	line := d.text[bytes.LastIndexByte(d.text[:offset], '\n')+1 : offset]
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}

// shifted counts from the start of the file.
func (d *document) shifted(splices ...Splice) []Splice {
	for i := range splices {
		splices[i].Offset += d.shift
	}
	return splices
}

// cut removes an item, the blank before it, and the comma that is one too many.
func (d *document) cut(all items, i int) []Splice {
	start, end := all.starts[i], all.values[i].EndOffset
	before := d.text[start-len(all.before[i]) : start]
	start -= len(before) - len(bytes.TrimRight(before, " \t\r\n"))
	last := i == len(all.values)-1
	if !last || all.trailing {
		end = all.comma(i) + 1
	}
	item := Splice{Offset: start, Removed: string(d.text[start:end])}
	if last && i > 0 && !all.trailing {
		return d.shifted(item, Splice{Offset: all.comma(i - 1), Removed: ","})
	}
	return d.shifted(item)
}

// prune removes from the container at a path, or, where that leaves a container empty that may go, that one.
func (d *document) prune(path []string, remove func(parent *hujson.Value) []Splice, empty func(string) bool) ([]Splice, error) {
	parent, _, err := d.walk(path)
	if err != nil {
		return nil, err
	}
	all := itemsOf(parent)
	if len(all.values) != 1 || len(path) == 0 || !empty(strings.Join(path, ".")) || d.commented(all) {
		return remove(parent), nil
	}
	last := path[len(path)-1]
	return d.prune(path[:len(path)-1], func(grand *hujson.Value) []Splice {
		i, _ := member(grand.Value.(*hujson.Object), last) //nolint:errcheck // walk went through it
		return d.cut(itemsOf(grand), i)
	}, empty)
}

// commented reports whether a comment stands around the only item of a container.
func (d *document) commented(all items) bool {
	return len(bytes.TrimSpace(all.before[0])) > 0 || len(bytes.TrimSpace(all.after)) > 0 ||
		len(bytes.TrimSpace(all.values[0].AfterExtra)) > 0
}
