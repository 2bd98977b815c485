package proxy

import (
	"crypto/hmac"
	"net/http"
	"strings"

	"github.com/ArcadeLabsInc/zvault/internal/shield/placeholder"
	"github.com/ArcadeLabsInc/zvault/internal/sigv4"
)

const (
	contentHash = "X-Amz-Content-Sha256"
	// signedChunks is what the content hash of a body begins with whose chunks are signed, too.
	signedChunks = "STREAMING-" + sigv4.Algorithm
	authorized   = "header:authorization"
)

// resigning is a request that the program signed for AWS with a placeholder, and that is signed anew with the value.
type resigning struct {
	key  *placeholder.Piece
	once bool // see sigv4.Request
}

// signed finds out which of the placeholders a request is signed with: the one that gives the same signature. It is nil if it is
// signed with none, and the server can say so.
func (v *visit) signed(out *http.Request) *resigning {
	a, ok := sigv4.Parse(v.in.Header.Get("Authorization"))
	if !ok || len(v.p.c.Set.Find([]byte(a.KeyID))) == 0 {
		return nil
	}
	r := sigv4.Request{
		Method: v.in.Method, Host: v.in.Host, URL: v.in.URL, Fields: v.in.Header.Values, Length: v.in.ContentLength, PayloadHash: v.in.Header.Get(contentHash),
	}
	if r.PayloadHash == "" {
		var whole bool
		if r.PayloadHash, whole = bodySum(out); !whole {
			return nil
		}
	}
	pieces := v.p.c.Set.Pieces()
	for i := range pieces {
		for _, r.PathOnce = range []bool{a.Service == "s3", a.Service != "s3"} {
			if hmac.Equal([]byte(r.Sign([]byte(pieces[i].Placeholder), a)), []byte(a.Signature)) {
				return &resigning{key: &pieces[i], once: r.PathOnce}
			}
		}
	}
	return nil
}

// resignable lists the placeholder that a request is signed with, which is not in it.
func (v *visit) resignable(out *http.Request) []wanted {
	v.resign = v.signed(out)
	if v.resign == nil {
		return nil
	}
	w := wanted{piece: v.resign.key, place: authorized}
	if t := taken(placeholder.Found{Piece: w.piece}); t != "" {
		w.unfit, w.alarm = t, true
	} else if strings.HasPrefix(v.in.Header.Get(contentHash), signedChunks) {
		w.unfit = "each chunk of the body is signed with it; turn that off in the program (request_checksum_calculation, payload_signing_enabled)"
	}
	return []wanted{w}
}

// sign signs a request as it leaves.
func (s *resigning) sign(v *visit, out *http.Request) error {
	a, ok := sigv4.Parse(out.Header.Get("Authorization"))
	if !ok {
		return v.p.refuse(v.in.Context(), v.event(s.key.Secret, authorized, "its signature cannot be read"), "")
	}
	hash := out.Header.Get(contentHash)
	if sum, whole := bodySum(out); whole && (hash == "" || len(hash) == len(sum)) {
		if hash != "" {
			out.Header.Set(contentHash, sum) // placeholders in the body were replaced
		}
		hash = sum
	}
	if hash == "" {
		return v.p.refuse(v.in.Context(), v.event(s.key.Secret, authorized, "the body is too large to be signed anew without "+contentHash), "")
	}
	r := sigv4.Request{
		Method: out.Method, Host: out.Host, URL: out.URL, Fields: out.Header.Values, Length: out.ContentLength, PayloadHash: hash, PathOnce: s.once,
	}
	a.Signature = r.Sign(s.key.Value.Reveal(), a)
	out.Header.Set("Authorization", a.String())
	return nil
}

// bodySum is the hash of a body that was read as a whole.
func bodySum(out *http.Request) (sum string, whole bool) {
	if out.Body == nil || out.Body == http.NoBody {
		return sigv4.Hash(nil), true
	}
	if out.GetBody == nil {
		return "", false
	}
	b, err := again(out)
	return sigv4.Hash(b), err == nil
}
