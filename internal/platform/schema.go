package platform

import (
	"context"
	"encoding/json"
	"maps"
	"regexp"
	"slices"

	"github.com/ArcadeLabsInc/zvault/internal/audit"
	"github.com/ArcadeLabsInc/zvault/internal/ref"
	"github.com/ArcadeLabsInc/zvault/internal/sqlstore"
)

// Rule is what a project expects of one secret.
type Rule struct {
	// Required means that every environment must have it.
	Required bool `json:"required,omitempty"`
	// Type is one of ValueTypes; empty means any text.
	Type string `json:"type,omitempty"`
	// Values are the ones that type enum permits.
	Values []string `json:"values,omitempty"`
	// Pattern is a regular expression (RE2) that the whole value must match.
	Pattern string `json:"pattern,omitempty"`
	// Sensitive false says that the value may be shown; nil means sensitive.
	Sensitive *bool `json:"sensitive,omitempty"`
	// Hosts are the ones that the value may be sent to: names, "*." for any below.
	Hosts []string `json:"hosts,omitempty"`
}

// Schema is what a project expects of its environments, by secret name.
type Schema map[string]Rule

// Schema returns the schema of a project with its revision, 0 if it has none.
func (s *Service) Schema(ctx context.Context, c Caller, project string) (Schema, int64, error) {
	if err := s.permit(ctx, c, actSchemaRead, target{project: project}); err != nil {
		return nil, 0, err
	}
	schema, revision := Schema{}, int64(0)
	err := s.store.View(ctx, func(tx *sqlstore.Tx) error {
		p, err := s.project(ctx, tx, project)
		if err != nil {
			return err
		}
		schema, revision, err = readSchema(ctx, tx, p.ID)
		return err
	})
	return schema, revision, failure("reading the schema", err)
}

func readSchema(ctx context.Context, tx *sqlstore.Tx, projectID string) (Schema, int64, error) {
	schema := Schema{}
	row, err := tx.Schema(ctx, projectID)
	if isNotFound(err) {
		return schema, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	return schema, row.Revision, json.Unmarshal([]byte(row.Body), &schema)
}

// SetSchema replaces the schema of a project; the old one is kept as an earlier revision. The same schema again changes
// nothing.
func (s *Service) SetSchema(ctx context.Context, c Caller, project string, schema Schema) error {
	t := target{project: project, names: slices.Sorted(maps.Keys(schema))}
	if err := s.permit(ctx, c, actSchemaSet, t); err != nil {
		return err
	}
	for name, rule := range schema {
		if err := rule.valid(name); err != nil {
			return err
		}
	}
	body, err := json.Marshal(schema)
	if err != nil {
		return failure("encoding the schema", err)
	}
	err = s.store.Update(ctx, func(tx *sqlstore.Tx) error {
		p, err := s.project(ctx, tx, project)
		if err != nil {
			return err
		}
		row, err := tx.Schema(ctx, p.ID)
		if err != nil && !isNotFound(err) {
			return err
		}
		if row.Body == string(body) {
			return nil
		}
		next := sqlstore.Schema{ProjectID: p.ID, Revision: row.Revision + 1, Body: string(body), CreatedAt: s.now(), CreatedBy: c.Actor.Name}
		if err := tx.InsertSchema(ctx, next); err != nil {
			return err
		}
		t.revision = next.Revision
		return s.record(ctx, c, actSchemaSet, t, audit.OK)
	})
	return failure("storing the schema", err)
}

func (r Rule) valid(name string) error {
	if err := ref.ValidKey(name); err != nil {
		return invalid("schema: %q: %v", name, err)
	}
	if r.Type != "" && !slices.Contains(ValueTypes, r.Type) {
		return invalid("schema: %s: there is no type %q; there are %v", name, r.Type, ValueTypes)
	}
	if (r.Type == "enum") != (len(r.Values) > 0) {
		return invalid("schema: %s: type enum and its values go together", name)
	}
	if _, err := regexp.Compile(r.Pattern); err != nil {
		return invalid("schema: %s: pattern: %v", name, err)
	}
	return nil
}
