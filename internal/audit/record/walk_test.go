package record_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/audit/record"
)

var at = time.Date(2026, 11, 23, 19, 12, 0, 0, time.UTC)

// chain writes lines after one another.
type chain struct {
	content []byte
	head    record.Head
}

func (c *chain) add(body []byte) *chain {
	c.content, c.head = record.AppendLine(c.content, body, c.head)
	return c
}

func (c *chain) raw(s string) *chain {
	c.content = append(c.content, s...)
	return c
}

func (c *chain) header() *chain { return c.add(record.AppendHeader(nil, at)) }

func (c *chain) entry() *chain {
	e := record.Entry{Time: at, Action: "secret.set", Outcome: record.OK}
	return c.add(record.AppendEntry(nil, &e))
}

func (c *chain) recovered(bytes uint64, of string) *chain {
	return c.add(record.AppendRecovered(nil, at, bytes, sha256.Sum256([]byte(of))))
}

func (c *chain) continued() *chain { return c.add(record.AppendContinued(nil, at, "next")) }

func (c *chain) checkpoint() *chain {
	return c.add(record.AppendCheckpoint(nil, at, record.KeyID{}, record.Signature{}))
}

// gap jumps to the given sequence number.
func (c *chain) gap(from, seq uint64) *chain {
	if seq != c.head.Seq+1 {
		c.head = record.Head{Seq: seq - 1, Hash: record.Hash{1, 2, 3}}
	}
	return c.add(record.AppendGap(nil, at, from, ""))
}

// Which line may stand where: lines is the number of lines that hold, want why the next does not (nil: all do).
func TestWalker_Grammar(t *testing.T) {
	t.Parallel()
	const torn = "torn"
	start := func() *chain { return new(chain).header() }
	for name, c := range map[string]struct {
		chain *chain
		lines int
		want  error
	}{
		"empty":                            {new(chain), 0, nil},
		"header":                           {start(), 1, nil},
		"entries":                          {start().entry().entry().checkpoint().entry(), 5, nil},
		"no header":                        {new(chain).entry(), 0, record.ErrPlace},
		"checkpoint first":                 {new(chain).checkpoint(), 0, record.ErrPlace},
		"header twice":                     {start().header(), 1, record.ErrPlace},
		"header later":                     {start().entry().header(), 2, record.ErrPlace},
		"header after a checkpoint":        {start().checkpoint().header(), 2, record.ErrPlace},
		"continued":                        {start().entry().continued().header().entry(), 5, nil},
		"continued without a header":       {start().entry().continued().entry(), 3, record.ErrPlace},
		"continued twice":                  {start().continued().continued(), 2, record.ErrPlace},
		"recovered":                        {start().raw(torn+record.Mark).recovered(4, torn).entry(), 3, nil},
		"recovered twice":                  {start().raw(torn+record.Mark).recovered(4, torn).raw("x"+record.Mark).recovered(1, "x"), 3, nil},
		"recovered first":                  {new(chain).raw(torn+record.Mark).recovered(4, torn).header().entry(), 3, nil},
		"recovered first, no header":       {new(chain).raw(torn+record.Mark).recovered(4, torn).entry(), 1, record.ErrPlace},
		"recovered after continued":        {start().continued().raw(torn+record.Mark).recovered(4, torn).header(), 4, nil},
		"recovered then a second header":   {start().raw(torn+record.Mark).recovered(4, torn).header(), 2, record.ErrPlace},
		"recovered nothing":                {start().recovered(0, ""), 1, record.ErrPlace},
		"recovered nothing with a mark":    {start().raw(record.Mark).recovered(0, ""), 2, nil},
		"recovered of another length":      {start().raw(torn+record.Mark).recovered(5, torn), 1, record.ErrMalformed},
		"recovered of another sum":         {start().raw(torn+record.Mark).recovered(4, "term"), 1, record.ErrMalformed},
		"recovered without a mark":         {start().raw(torn+"\n").recovered(4, torn), 1, record.ErrMalformed},
		"damage that looks like the mark":  {start().raw("a#\n#\n"+record.Mark).recovered(5, "a#\n#\n"), 2, nil},
		"damage that has a recovered line": {start().raw(torn+record.Mark).raw(string(new(chain).recovered(4, torn).content)+record.Mark).recovered(9, "x"), 1, record.ErrMalformed},
		"gap":                              {start().entry().gap(3, 9).checkpoint().entry(), 5, nil},
		"gap of nothing":                   {start().entry().gap(3, 3).checkpoint(), 4, nil},
		"gap first":                        {new(chain).gap(1, 9).checkpoint().entry(), 3, nil},
		"gap after continued":              {start().continued().gap(3, 9).checkpoint(), 4, nil},
		"gap from elsewhere":               {start().entry().gap(2, 9).checkpoint(), 2, record.ErrSequence},
		"gap without a checkpoint":         {start().entry().gap(3, 9).entry(), 3, record.ErrPlace},
		"gap and header":                   {start().continued().gap(3, 9).checkpoint().header(), 4, record.ErrPlace},
	} {
		w := record.NewWalker(bytes.NewReader(c.chain.content), record.Head{}, "f")
		lines := 0
		var err error
		for err == nil {
			if _, err = w.Next(); err == nil {
				lines++
			}
		}
		var broken *record.Break
		switch {
		case c.want == nil && (!errors.Is(err, io.EOF) || w.Torn != 0 || w.Head != c.chain.head || w.Offset != int64(len(c.chain.content))):
			t.Errorf("%s: %v, at %+v", name, err, w.Head)
		case c.want != nil && (!errors.As(err, &broken) || !errors.Is(err, c.want) || broken.File != "f"):
			t.Errorf("%s: %v, want %v", name, err, c.want)
		case lines != c.lines:
			t.Errorf("%s: %d lines hold, want %d", name, lines, c.lines)
		}
	}
}

// The numbers of lines and the offsets stay right behind damage of several lines.
func TestWalker_PlaceBehindDamage(t *testing.T) {
	t.Parallel()
	damage := "a\nb\n\nc"
	c := new(chain).header().raw(damage+record.Mark).recovered(uint64(len(damage)), damage)
	whole := len(c.content)
	c.entry().raw("{}\n").entry()
	w := record.NewWalker(bytes.NewReader(c.content), record.Head{}, "")
	for range 2 {
		if _, err := w.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if w.Line != 6 || w.Offset != int64(whole) || w.Damage != 1 || w.DamagedBytes != uint64(len(damage)) {
		t.Errorf("line %d, offset %d of %d, damage %d of %d bytes", w.Line, w.Offset, whole, w.Damage, w.DamagedBytes)
	}
	if _, err := w.Next(); err != nil {
		t.Fatal(err)
	}
	_, err := w.Next()
	var broken *record.Break
	if !errors.As(err, &broken) || broken.Line != 8 || broken.Seq != 4 {
		t.Errorf("%v, want line 8 (seq 4)", err)
	}
}
