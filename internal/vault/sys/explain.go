package sys

import (
	"encoding/json"

	"github.com/ArcadeLabsInc/zvault/internal/policy"
)

// explanation is an Explanation as the data of a response.
func explanation(x policy.Explanation) (map[string]any, error) {
	raw, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	var data map[string]any
	return data, json.Unmarshal(raw, &data)
}
