package vaultcmd

import (
	"maps"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/vaultclient"
)

// keysOf are the keys of an answer to LIST.
func keysOf(s *vaultclient.Secret) ([]string, bool) {
	if s == nil {
		return nil, false
	}
	list, ok := s.Data["keys"].([]any)
	keys := make([]string, 0, len(list))
	for _, k := range list {
		text, isText := k.(string)
		if !isText {
			return nil, false
		}
		keys = append(keys, text)
	}
	return keys, ok
}

// list prints the answer to LIST of a path. Nothing there is the server's status, as a read of nothing is.
func (c *call) list(s *vaultclient.Secret, path string) error {
	if s != nil && s.WrapInfo != nil {
		return c.secret(s)
	}
	keys, ok := keysOf(s)
	if c.format != asTable {
		if !ok {
			if err := c.document(map[string]any{}); err != nil {
				return err
			}
			return &Exit{Status: exitServer}
		}
		if c.detailed {
			return c.document(s)
		}
		return c.document(keys)
	}
	switch {
	case s == nil:
		return nothing("No value found at %s", path)
	case !ok:
		return nothing("No entries found at %s", path)
	}
	c.warnings(s)
	return c.keyTable(s, keys)
}

// keyTable prints keys, sorted, with what the server says of each if -detailed is given.
func (c *call) keyTable(s *vaultclient.Secret, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	slices.Sort(keys)
	info, _ := s.Data["key_info"].(map[string]any)
	names := map[string]bool{}
	of := func(key string) map[string]any {
		about, _ := info[key].(map[string]any)
		return about
	}
	if c.detailed {
		for _, k := range keys {
			for name := range of(k) {
				names[name] = true
			}
		}
	}
	header := append([]string{"Keys"}, slices.Sorted(maps.Keys(names))...)
	rows := make([][]string, 0, len(keys))
	for _, k := range keys {
		row := []string{k}
		for _, name := range header[1:] {
			text := ""
			if v, there := of(k)[name]; there {
				text = cell(name, v)
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	return c.table(header, rows)
}
