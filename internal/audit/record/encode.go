package record

import (
	"slices"
	"strconv"
	"time"
)

// AppendEntry appends the body of e's line to dst: what stands between the sequence number and the hash of the line
// before. e must be valid ([Entry.Validate]). It does not allocate if dst has room and e has at most 8 digests.
func AppendEntry(dst []byte, e *Entry) []byte {
	dst = appendStart(dst, KindEntry, e.Time)
	if e.Actor != (Actor{}) {
		dst = append(dst, `,"actor":{"kind":`...)
		dst = appendString(dst, string(e.Actor.Kind))
		dst = appendMember(dst, `,"id":`, e.Actor.ID)
		dst = appendMember(dst, `,"name":`, e.Actor.Name)
		dst = append(dst, '}')
	}
	if e.Client != (Client{}) {
		dst = append(dst, `,"client":{"kind":`...)
		dst = appendString(dst, string(e.Client.Kind))
		dst = appendMember(dst, `,"name":`, e.Client.Name)
		dst = appendMember(dst, `,"version":`, e.Client.Version)
		dst = appendNumber(dst, `,"pid":`, uint64(e.Client.PID))
		dst = append(dst, '}')
	}
	dst = append(dst, `,"action":`...)
	dst = appendString(dst, e.Action)
	dst = appendMember(dst, `,"org":`, e.Org)
	dst = appendMember(dst, `,"project":`, e.Project)
	dst = appendMember(dst, `,"env":`, e.Environment)
	dst = appendKeys(dst, e.Keys)
	dst = appendNumber(dst, `,"revision":`, e.Revision)
	dst = append(dst, `,"outcome":`...)
	dst = appendString(dst, string(e.Outcome))
	dst = appendMember(dst, `,"reason":`, cutReason(e.Reason))
	dst = appendMember(dst, `,"request":`, e.Request)
	return appendDigests(dst, e.Digests)
}

// appendStart appends the members that every body begins with.
func appendStart(dst []byte, kind Kind, t time.Time) []byte {
	dst = append(dst, `"type":"`...)
	dst = append(dst, kind...)
	dst = append(dst, `","time":"`...)
	dst = appendTime(dst, t)
	return append(dst, '"')
}

// appendMember appends name and s, or nothing if s is empty.
func appendMember(dst []byte, name, s string) []byte {
	if s == "" {
		return dst
	}
	return appendString(append(dst, name...), s)
}

// appendNumber appends name and n, or nothing if n is 0.
func appendNumber(dst []byte, name string, n uint64) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendUint(append(dst, name...), n, 10)
}

func appendKeys(dst []byte, keys []string) []byte {
	if len(keys) == 0 {
		return dst
	}
	dst = append(dst, `,"keys":[`...)
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, k)
	}
	return append(dst, ']')
}

// appendDigests appends the digests in the order of their names' spelling in the line.
func appendDigests(dst []byte, digests map[string]string) []byte {
	if len(digests) == 0 {
		return dst
	}
	var room [8]string
	names := room[:0]
	for n := range digests {
		names = append(names, n)
	}
	slices.Sort(names)
	dst = append(dst, `,"digests":{`...)
	for i, n := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, n), ':')
		dst = appendString(dst, digests[n])
	}
	return append(dst, '}')
}

// appendTime appends t in UTC as 2006-01-02T15:04:05.000000000Z.
func appendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = append(appendPadded(dst, year, 4), '-')
	dst = append(appendPadded(dst, int(month), 2), '-')
	dst = append(appendPadded(dst, day, 2), 'T')
	dst = append(appendPadded(dst, hour, 2), ':')
	dst = append(appendPadded(dst, minute, 2), ':')
	dst = append(appendPadded(dst, second, 2), '.')
	return append(appendPadded(dst, t.Nanosecond(), 9), 'Z')
}

// appendPadded appends the last width decimal digits of n, which is not negative.
func appendPadded(dst []byte, n, width int) []byte {
	start := len(dst)
	for range width {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; i >= start; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}
