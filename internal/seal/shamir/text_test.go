package shamir_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/ArcadeLabsInc/zvault/internal/seal/shamir"
)

// known is a share as it was printed once. It must be read for ever.
const known = "zvs1-aebag-bacae-aqeba-iaeba-icaba-icaqa-icaqe-acaqe-baaqe-baiae-baica-baica-qaica-qealm-6dq4"

func TestParse_Known(t *testing.T) {
	t.Parallel()
	s, err := shamir.Parse(known)
	if err != nil {
		t.Fatal(err)
	}
	if s.String() != "share 01020304-1" || s.Threshold != 2 || !bytes.Equal(shamir.PayloadForTest(s), bytes.Repeat([]byte{1, 2, 4, 8}, 9)) {
		t.Errorf("it is %v of %d, %x", s, s.Threshold, shamir.PayloadForTest(s))
	}
	if s.Text() != known {
		t.Errorf("printed anew it is %s", s.Text())
	}
}

// A changed, missing, added or swapped letter is noticed wherever it is.
func TestParse_Typos(t *testing.T) {
	t.Parallel()
	text := split(t, []byte("0123456789abcdef0123456789abcdef"), 3, 2)[0].Text()
	refused := func(typo, what string, i int) {
		if strings.ReplaceAll(typo, "-", "") == strings.ReplaceAll(text, "-", "") {
			return
		}
		_, err := shamir.Parse(typo)
		if !errors.Is(err, shamir.ErrSyntax) && !errors.Is(err, shamir.ErrNewer) {
			t.Fatalf("%s at %d was not noticed: %v", what, i, err)
		}
		if strings.Contains(err.Error(), text[6:12]) {
			t.Fatalf("%s at %d: the error quotes the share: %v", what, i, err)
		}
	}
	for i := range text {
		for c := range 256 {
			if strings.ContainsRune("- \t\r\n", rune(c)) || strings.EqualFold(string(rune(c)), text[i:i+1]) {
				continue
			}
			refused(text[:i]+string([]byte{byte(c)})+text[i+1:], "a letter", i)
		}
		refused(text[:i]+text[i+1:], "a letter missing", i)
		refused(text[:i]+"a"+text[i:], "a letter more", i)
		if i > 0 {
			refused(text[:i-1]+text[i:i+1]+text[i-1:i]+text[i+1:], "letters swapped", i)
		}
	}
}

func TestParse_Errors(t *testing.T) {
	t.Parallel()
	text := known
	for name, c := range map[string]struct {
		text, says string
		want       error
	}{
		"empty":            {"", "does not start with zvs1-", shamir.ErrSyntax},
		"prefix only":      {"zvs1-", "length", shamir.ErrSyntax},
		"other text":       {"correct horse battery staple", "does not start with zvs1-", shamir.ErrSyntax},
		"letter for digit": {"zvsl" + text[4:], "does not start with zvs1-", shamir.ErrSyntax},
		"newer":            {"zvs2" + text[4:], "newer version", shamir.ErrNewer},
		"a zero":           {text[:12] + "0" + text[13:], "letter 2 of group 2 behind zvs1- is none that a share has", shamir.ErrSyntax},
		"a typo":           {text[:12] + "z" + text[13:], "checksum does not match", shamir.ErrSyntax},
		"cut":              {text[:40], "", shamir.ErrSyntax},
		"a Kelvin sign":    {text[:12] + "\u212a" + text[13:], "none that a share has", shamir.ErrSyntax},
		"twice":            {text + text[5:], "", shamir.ErrSyntax},
		"long":             {"zvs1-" + strings.Repeat("a", 1000), "length", shamir.ErrSyntax},
		"index 0":          {shamir.ForgeForTest(shamir.Share{Threshold: 1}, 0, make([]byte, 36)).Text(), "out of range", shamir.ErrSyntax},
		"threshold 0":      {shamir.ForgeForTest(shamir.Share{}, 1, make([]byte, 36)).Text(), "out of range", shamir.ErrSyntax},
		"no payload":       {shamir.ForgeForTest(shamir.Share{Threshold: 1}, 1, make([]byte, 4)).Text(), "length", shamir.ErrSyntax},
		"much payload":     {shamir.ForgeForTest(shamir.Share{Threshold: 1}, 1, make([]byte, shamir.MaxSecret+5)).Text(), "length", shamir.ErrSyntax},
	} {
		if _, err := shamir.Parse(c.text); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %q", name, err, c.says)
		}
	}
}

func TestParse_Lenient(t *testing.T) {
	t.Parallel()
	text := known
	for name, typed := range map[string]string{
		"capitals and blanks": strings.ToUpper(strings.ReplaceAll(text, "-", " ")),
		"no dashes":           strings.ReplaceAll(text, "-", ""),
		"lines":               "\r\n " + strings.ReplaceAll(text, "-", "\r\n\t") + "\n",
	} {
		if s, err := shamir.Parse(typed); err != nil || s.Text() != text {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestShare_NeverPrints(t *testing.T) {
	t.Parallel()
	s := split(t, []byte("0123456789abcdef0123456789abcdef"), 3, 2)[0]
	secrets := []string{fmt.Sprintf("%x", shamir.PayloadForTest(s)), fmt.Sprintf("%d", shamir.PayloadForTest(s))[1:20], s.Text()[17:]}
	silent := func(how, out string) {
		for _, secret := range secrets {
			if strings.Contains(strings.ToLower(out), secret) {
				t.Errorf("%s prints the share", how)
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d", "%t"} {
		silent(verb, fmt.Sprintf(verb+verb+verb, s, []shamir.Share{s}, &s))
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "share", s, "shares", []shamir.Share{s})
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "share", s)
	silent("slog", log.String())
	if !strings.Contains(log.String(), s.String()) {
		t.Error("slog does not name the share")
	}
	if out, err := json.Marshal(s); err == nil {
		t.Errorf("a share has a JSON form: %d bytes", len(out))
	}
}

// What parses is printed and read back as the same share.
func FuzzParse(f *testing.F) {
	f.Add(known)
	f.Add(strings.ToUpper(strings.ReplaceAll(known, "-", "\n")))
	f.Add("zvs1-")
	f.Add("zvs2-aaaaa")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := shamir.Parse(text)
		if err != nil {
			return
		}
		plain := func(s string) string {
			return strings.ToLower(strings.NewReplacer("-", "", " ", "", "\t", "", "\r", "", "\n", "").Replace(s))
		}
		if plain(s.Text()) != plain(text) {
			t.Fatal("a share that parses is printed as another")
		}
		again, err := shamir.Parse(s.Text())
		if err != nil || again.Text() != s.Text() {
			t.Fatalf("a share that parses does not come back: %v", err)
		}
	})
}
