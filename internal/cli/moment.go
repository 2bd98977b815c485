package cli

import (
	"strconv"
	"time"

	"github.com/ArcadeLabsInc/zvault/internal/platform"
)

// parseMoment reads a revision number or a time; empty means now.
func parseMoment(text string) (platform.Moment, error) {
	if text == "" {
		return platform.Moment{}, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 {
		return platform.Moment{Revision: n}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return platform.Moment{Time: t}, nil
		}
	}
	return platform.Moment{}, usage("%q is neither a revision number nor a time such as 2026-11-01T10:00:00Z", text)
}

// stamp prints a time for people.
func stamp(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05") }
