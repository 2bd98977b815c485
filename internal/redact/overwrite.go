package redact

// Overwriter masks a stream in place, each form by as many bytes as it has: lengths, offsets and frames around stay right.
// It holds back what may still turn out to be a secret, and nothing else. It is not safe for concurrent use.
type Overwriter struct {
	m    *Matcher
	fill func(dst []byte, name string, e Encoding)
	// carry is the rest of a mask: it belongs over the first bytes of the next piece, which are needed as they are until then
	// because a form may start among them.
	carry []byte
}

// Overwriter returns an Overwriter whose masks fill writes: all of dst, which is as long as the form that it stands for. With
// nil, masks are stars.
func (m *Matcher) Overwriter(fill func(dst []byte, name string, e Encoding)) *Overwriter {
	if fill == nil {
		fill = func(dst []byte, _ string, _ Encoding) { stars(dst) }
	}
	return &Overwriter{m: m, fill: fill}
}

// Mask masks what b holds and returns how many of its bytes are done. The rest of b must be the beginning of the b of the next
// call. With final nothing follows, and all of b is done.
func (o *Overwriter) Mask(b []byte, final bool) (done int) {
	finds, open := o.m.Scan(b, final)
	if len(finds) == 0 && len(o.carry) == 0 {
		return open
	}
	covered := len(o.carry)
	held := append([]byte(nil), o.carry[min(open, covered):]...)
	copy(b[:open], o.carry)
	put := func(at int, mask []byte) {
		n := 0
		if at < open {
			n = copy(b[at:open], mask)
		}
		held = append(held, mask[n:]...)
	}
	for _, f := range finds {
		switch {
		case f.Start >= covered:
			mask := make([]byte, f.End-f.Start)
			o.fill(mask, f.Name, f.Encoding)
			put(f.Start, mask)
		case f.End > covered: // overlaps what is masked already
			mask := make([]byte, f.End-covered)
			stars(mask)
			put(covered, mask)
		}
		covered = max(covered, f.End)
	}
	o.carry = held
	return open
}

func stars(b []byte) {
	for i := range b {
		b[i] = '*'
	}
}
