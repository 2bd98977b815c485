package scan

import (
	"encoding/json"
	"net/url"
	"strings"
)

// SARIF 2.1.0 (OASIS), as far as findings need it.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	Results    []sarifResult `json:"results"`
	ColumnKind string        `json:"columnKind"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version,omitempty"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string       `json:"id"`
	ShortDescription sarifMessage `json:"shortDescription"`
}

type sarifMessage struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifMessage      `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	PhysicalLocation sarifPhysical `json:"physicalLocation"`
}

type sarifPhysical struct {
	ArtifactLocation sarifArtifact `json:"artifactLocation"`
	Region           sarifRegion   `json:"region"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int          `json:"startLine"`
	StartColumn int          `json:"startColumn"`
	Snippet     sarifMessage `json:"snippet"`
}

// SARIF returns findings as a SARIF 2.1.0 log by a zvault of the given version.
func SARIF(findings []Finding, version string) ([]byte, error) {
	rules, results := []sarifRule{}, []sarifResult{}
	index := map[string]int{}
	for _, f := range findings {
		n, known := index[f.Rule]
		if !known {
			n = len(rules)
			index[f.Rule] = n
			description := f.Description
			if f.Rule == OwnRule {
				description = "a value that the vault holds"
			}
			rules = append(rules, sarifRule{ID: f.Rule, ShortDescription: sarifMessage{description}})
		}
		results = append(results, f.sarif(n))
	}
	return json.MarshalIndent(sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0",
		Runs: []sarifRun{{
			Tool:    sarifTool{sarifDriver{Name: "zvault", Version: version, InformationURI: "https://github.com/ArcadeLabsInc/zvault", Rules: rules}},
			Results: results, ColumnKind: "unicodeCodePoints",
		}},
	}, "", "  ")
}

func (f Finding) sarif(rule int) sarifResult {
	message := f.Description
	if f.Secret != "" {
		message += ": " + f.Secret
	}
	if f.Commit != "" {
		message += " (in commit " + f.Commit + ")"
	}
	return sarifResult{
		RuleID: f.Rule, RuleIndex: rule, Level: "error", Message: sarifMessage{message},
		Locations:    []sarifLocation{{sarifPhysical{sarifArtifact{fileURI(f.File)}, sarifRegion{f.Line, f.Column, sarifMessage{f.Excerpt}}}}},
		Fingerprints: map[string]string{"zvault/v1": f.Fingerprint},
	}
}

// fileURI writes a relative path as a URI reference: each part escaped, and none taken for a scheme.
func fileURI(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(url.PathEscape(p), ":", "%3A")
	}
	return strings.Join(parts, "/")
}
