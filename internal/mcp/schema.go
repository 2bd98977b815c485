package mcp

import (
	"slices"

	"github.com/google/jsonschema-go/jsonschema"
)

// portable returns a copy of a schema in which every part has one type, as some clients' models want it. What may be null in an
// argument is then simply left out; in a result it is spelled out.
func portable(s *jsonschema.Schema, argument bool) *jsonschema.Schema {
	s = s.CloneSchemas()
	simplify(s, argument)
	return s
}

func simplify(s *jsonschema.Schema, argument bool) {
	if s == nil {
		return
	}
	for _, p := range s.Properties {
		simplify(p, argument)
	}
	simplify(s.Items, argument)
	simplify(s.AdditionalProperties, argument)
	i := slices.Index(s.Types, "null")
	if i < 0 || len(s.Types) != 2 {
		return
	}
	kind := s.Types[1-i]
	if argument {
		s.Type, s.Types = kind, nil
		return
	}
	one := *s
	one.Type, one.Types, one.Description = kind, nil, ""
	*s = jsonschema.Schema{Description: s.Description, AnyOf: []*jsonschema.Schema{{Type: "null"}, &one}}
}
