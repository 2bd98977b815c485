package placeholder

import (
	"bytes"
	"hash/crc32"
	"strings"
	"sync"
)

// kind is a family of tokens: what all begin with, and the letters of the rest.
type kind struct {
	prefix   string
	alphabet string
	// random is how many letters follow; 0 is as many as the value has.
	random int
	// checked says that six letters of a CRC-32 of the random ones follow, as in the tokens of GitHub and npm.
	checked bool
}

const tokenLetters = base62 + "_-"

// kinds lists the prefixes that services publish for their tokens. The longer of two that fit counts.
var kinds = sync.OnceValue(func() []kind {
	checked := func(prefix string) kind { return kind{prefix, base62, 30, true} }
	all := []kind{
		checked("ghp_"), checked("gho_"), checked("ghu_"), checked("ghs_"), checked("ghr_"), checked("npm_"),
		{"AKIA", base32, 16, false}, {"ASIA", base32, 16, false}, {"AIza", tokenLetters, 35, false},
	}
	for _, prefix := range strings.Fields(`sk_live_ sk_test_ rk_live_ rk_test_ pk_live_ pk_test_ whsec_ sk- sk-proj- sk-svcacct- sk-admin-
		sk-ant-api03- sk-ant-admin01- sk-or-v1- xoxb- xoxp- xoxa- xoxs- xoxe- xapp- glpat- gldt- glrt- glptt- glcbt- github_pat_ pypi-
		hf_ gsk_ r8_ dop_v1_ doo_v1_ shpat_ shpss_ shpca_ SG. key- ya29. hvs. hvb. lin_api_ ntn_ secret_ pscale_tkn_ pscale_pw_ sbp_ re_
		rnd_ fo1_ dapi EAAA sq0atp- sq0csp- figd_ PMAK- NRAK- glsa_ tskey-auth- tskey-api- dckr_pat_ vercel_ pat- rubygems_ cio_ ATATT3xFfGF0`) {
		all = append(all, kind{prefix: prefix, alphabet: base62})
	}
	return all
})

func kindOf(value []byte) (best kind, ok bool) {
	for _, k := range kinds() {
		if len(value) > len(k.prefix) && bytes.HasPrefix(value, []byte(k.prefix)) && len(k.prefix) > len(best.prefix) {
			best = k
		}
	}
	return best, best.prefix != ""
}

// publicLength is how many of the first bytes of a value tell only what kind it is.
func publicLength(value []byte) int {
	if k, ok := kindOf(value); ok {
		return len(k.prefix)
	}
	if header, _, ok := jwtParts(value); ok {
		return len(header) + 1
	}
	return 0
}

// token makes a placeholder of a value's shape, maybe one that has to be made anew.
func token(value []byte) string {
	if _, _, ok := jwtParts(value); ok {
		return jwt(value)
	}
	switch {
	case isPEM(value):
		return pemLike(value)
	case isUUID(value):
		return uuidLike(value)
	}
	if k, ok := kindOf(value); ok {
		return k.make(len(value))
	}
	if alphabet, ok := hexAlphabet(value); ok {
		return string(random(alphabet, max(len(value), 2*minRandom)))
	}
	return plain(value)
}

// make makes a token about as long as the value.
func (k kind) make(length int) string {
	n := k.random
	if n == 0 {
		n = max(length-len(k.prefix), minRandom)
	}
	letters := random(k.alphabet, n)
	if k.prefix == "github_pat_" && n == 82 {
		letters[22] = '_' // 22 letters, 59 letters
	}
	if k.checked {
		letters = append(letters, checksum(letters)...)
	}
	return k.prefix + string(letters)
}

// checksum is the CRC-32 of letters in six digits of base 62, as GitHub has described for its tokens.
func checksum(letters []byte) []byte {
	sum := crc32.ChecksumIEEE(letters)
	out := make([]byte, 6)
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = base62[sum%62]
		sum /= 62
	}
	return out
}

const (
	plainPrefix = "zvph"
	// minPlain is the length of a placeholder for a shorter value.
	minPlain = 24
	// maxPlain bounds the placeholder of a long text.
	maxPlain = 4096
)

// plain makes a placeholder for a value of no known shape: of its length, if that is enough.
func plain(value []byte) string {
	n := min(max(len(value), minPlain), maxPlain)
	return plainPrefix + string(random(base62, n-len(plainPrefix)))
}

// hexAlphabet tells whether a value is hex, long enough to be no word.
func hexAlphabet(value []byte) (string, bool) {
	if len(value) < minRandom || len(value)%2 != 0 || !bytes.ContainsAny(value, digits) {
		return "", false
	}
	for _, alphabet := range []string{hexLower, hexUpper} {
		if len(bytes.Trim(value, alphabet)) == 0 {
			return alphabet, true
		}
	}
	return "", false
}
