package shellread

import "strings"

// redirect reads a redirection into a command. A here-document is returned: its body comes after the line.
func (r *reader) redirect(c *Command) (*document, error) {
	start := r.at
	for !r.done() && strings.IndexByte("<>&|", r.text[r.at]) >= 0 && r.at-start < 3 {
		if r.at > start && (r.has("<(") || r.has(">(")) {
			break
		}
		r.at++
	}
	op := r.text[start:r.at]
	if op == "<<" && r.has("-") {
		op += "-"
		r.at++
	}
	for !r.done() && (r.text[r.at] == ' ' || r.text[r.at] == '\t') {
		r.at++
	}
	from := r.at
	if r.done() || strings.IndexByte(";|&)\n", r.text[r.at]) >= 0 {
		return nil, ErrUnreadable
	}
	w, err := r.word()
	if err != nil {
		return nil, err
	}
	switch op {
	case "<<<":
		c.Stdin += w.Text + "\n"
	case "<<", "<<-":
		return &document{end: w.Text, strip: op == "<<-", literal: strings.ContainsAny(r.text[from:r.at], `'"\`)}, nil
	default:
		c.Redirects = append(c.Redirects, Redirect{Op: op, Target: w})
	}
	return nil, nil
}

// bodies reads the here-documents that were announced on the line before.
func (r *reader) bodies(waiting []*document) error {
	for _, d := range waiting {
		var body strings.Builder
		closed := false
		for !r.done() && !closed {
			line, _, _ := strings.Cut(r.text[r.at:], "\n")
			r.at = min(r.at+len(line)+1, len(r.text))
			line = strings.TrimSuffix(line, "\r")
			if d.strip {
				line = strings.TrimLeft(line, "\t")
			}
			if closed = line == d.end; !closed {
				body.WriteString(line + "\n")
			}
		}
		if !closed {
			return ErrUnreadable
		}
		if d.command < len(*r.out) {
			(*r.out)[d.command].Stdin += body.String()
		}
		if !d.literal {
			inner, err := r.nested(body.String())
			if err != nil {
				return err
			}
			if _, err := inner.quoted(0); err != nil {
				return err
			}
		}
	}
	return nil
}
