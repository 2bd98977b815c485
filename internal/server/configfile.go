package server

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/ArcadeLabsInc/zvault/internal/nearest"
)

// File is a configuration file of the server, in TOML. Each member is a flag of `zvault server` by another name, and yields to
// it; what a file does not say is nil.
type File struct {
	Data      *string `toml:"data"`
	Storage   *string `toml:"storage"`
	Listen    *string `toml:"listen"`
	Seal      *string `toml:"seal"`
	AuditSync *string `toml:"audit_sync"`
	AuditFile *string `toml:"audit_file"`
	LogLevel  *string `toml:"log_level"`
	Cache     *int    `toml:"cache_mb"`
	TLS       struct {
		Cert *string `toml:"cert"`
		Key  *string `toml:"key"`
	} `toml:"tls"`
	Database struct {
		// URL holds a password often enough that a file of its own, or $ZVAULT_DATABASE, is the better place.
		URL     *string `toml:"url"`
		URLFile *string `toml:"url_file"`
	} `toml:"database"`
}

// fileKeys are all that the file may hold, for the hint in an error.
var fileKeys = []string{
	"data", "storage", "listen", "seal", "audit_sync", "audit_file", "log_level", "cache_mb", "tls", "tls.cert", "tls.key", "database",
	"database.url", "database.url_file",
}

// ReadFile reads a configuration file. An error names the file, and the line where there is one.
func ReadFile(path string) (File, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return File{}, fmt.Errorf("reading the configuration: %w", err)
	}
	f, err := ParseFile(raw)
	if err != nil {
		return File{}, fmt.Errorf("reading the configuration %s: %w", path, err)
	}
	return f, nil
}

// ParseFile reads the text of a configuration file.
func ParseFile(raw []byte) (File, error) {
	var f File
	d := toml.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return File{}, describeTOML(err)
	}
	if f.Database.URL != nil && f.Database.URLFile != nil {
		return File{}, errors.New("[database] has both url and url_file: choose one")
	}
	return f, nil
}

func describeTOML(err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		first := unknown.Errors[0]
		key := strings.Join(first.Key(), ".")
		line, _ := first.Position()
		if near, ok := nearest.Of(key, fileKeys); ok {
			return fmt.Errorf("line %d: unknown key %q; did you mean %q?", line, key, near)
		}
		return fmt.Errorf("line %d: unknown key %q", line, key)
	}
	var syntax *toml.DecodeError
	if errors.As(err, &syntax) {
		line, column := syntax.Position()
		return fmt.Errorf("line %d, column %d: %s", line, column, strings.TrimPrefix(syntax.Error(), "toml: "))
	}
	return err
}

// Flags are what a file says, by the names of the flags that it stands for.
func (f File) Flags() (map[string]string, error) {
	flags := map[string]string{}
	for name, v := range map[string]*string{
		"data": f.Data, "storage": f.Storage, "listen": f.Listen, "seal": f.Seal, "audit-sync": f.AuditSync, "audit-file": f.AuditFile,
		"log-level": f.LogLevel, "tls-cert": f.TLS.Cert, "tls-key": f.TLS.Key, "database": f.Database.URL,
	} {
		if v != nil {
			flags[name] = *v
		}
	}
	if f.Cache != nil {
		flags["cache-mb"] = strconv.Itoa(*f.Cache)
	}
	if f.Database.URLFile != nil {
		raw, err := os.ReadFile(*f.Database.URLFile)
		if err != nil {
			return nil, fmt.Errorf("reading the database's URL: %w", err)
		}
		flags["database"] = strings.TrimSpace(string(raw))
	}
	return flags, nil
}
