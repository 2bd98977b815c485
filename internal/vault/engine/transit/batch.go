package transit

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/ArcadeLabsInc/zvault/internal/vault/logical"
)

var (
	errEmptyBatch = logical.Invalid("missing batch input to process")
	errMixed      = logical.Invalid("context should be set either in all the request blocks or in none")
)

// objects returns the items of batch_input.
func objects(input any) ([]map[string]any, error) {
	list, ok := input.([]any)
	if !ok {
		return nil, fault("failed to parse batch input: source data must be an array or slice, got %T", input)
	}
	if len(list) == 0 {
		return nil, errEmptyBatch
	}
	out := make([]map[string]any, len(list))
	for i, entry := range list {
		if out[i], ok = entry.(map[string]any); !ok {
			return nil, fault("failed to parse batch input: [%d] expected a map, got '%T'", i, entry)
		}
	}
	return out, nil
}

// Which member of an item is what it is about, and whether it must be there.
type subject struct {
	name    string
	missing string // what the message says; "": it may be missing
}

// decodeItems reads batch_input for encrypt, decrypt and rewrap.
func decodeItems(input any, of subject) ([]item, error) {
	list, err := objects(input)
	if err != nil {
		return nil, err
	}
	items := make([]item, len(list))
	var wrong []error
	for i, object := range list {
		it := &items[i]
		it.index = i
		if _, ok := object[of.name]; !ok && of.missing != "" {
			wrong = append(wrong, fmt.Errorf("'[%d].%s' %s", i, of.name, of.missing))
		}
		for _, member := range []struct {
			name string
			text *string
		}{{"context", &it.context}, {of.name, &it.text}, {"associated_data", &it.ad}, {"reference", &it.reference}} {
			if value := object[member.name]; value != nil {
				var ok bool
				if *member.text, ok = value.(string); !ok {
					wrong = append(wrong, fmt.Errorf("'[%d].%s' expected type 'string', got unconvertible type '%T'", i, member.name, value))
				}
			}
		}
		if it.version, err = itemVersion(object["key_version"], i); err != nil {
			wrong = append(wrong, err)
		}
	}
	if len(wrong) > 0 {
		return nil, fault("failed to parse batch input: %s", errors.Join(wrong...))
	}
	return items, checkContexts(items)
}

func itemVersion(value any, index int) (int, error) {
	switch value := value.(type) {
	case nil:
		return 0, nil
	case json.Number:
		number, err := value.Int64()
		if err != nil || int64(int(number)) != number {
			return 0, fmt.Errorf("error decoding %T into [%d].key_version: strconv.ParseInt: parsing %q: invalid syntax", value, index, value)
		}
		return int(number), nil
	}
	return 0, fmt.Errorf("'[%d].key_version' expected type 'int', got unconvertible type '%T'", index, value)
}

// checkContexts requires a context in all items or in none.
func checkContexts(items []item) error {
	for i := range items {
		if (items[i].context == "") != (items[0].context == "") {
			return errMixed
		}
	}
	return nil
}

// texts reads batch_input for sign, verify and hmac, whose items are objects of strings.
func texts(input any) ([]map[string]string, error) {
	list, err := objects(input)
	if err != nil {
		return nil, err
	}
	out := make([]map[string]string, len(list))
	for i, object := range list {
		out[i] = make(map[string]string, len(object))
		for name, value := range object {
			switch value := value.(type) {
			case nil:
				out[i][name] = ""
			case string:
				out[i][name] = value
			case json.Number:
				out[i][name] = value.String()
			default:
				return nil, fault("failed to parse batch input: '[%d][%s]' expected type 'string', got unconvertible type '%T'", i, name, value)
			}
		}
	}
	return out, nil
}

// batch collects the results of a batch, in order, and what they say of its status.
type batch struct {
	json                        []byte
	succeeded, refused, faulted bool
}

func newBatch(size int) *batch {
	b := &batch{json: make([]byte, 0, 32+size)}
	b.json = append(b.json, `{"batch_results":[`...)
	return b
}

// open begins a result.
func (b *batch) open() {
	if b.json[len(b.json)-1] != '[' {
		b.json = append(b.json, ',')
	}
	b.json = append(b.json, '{')
}

// done ends a result with its reference.
func (b *batch) done(reference string) {
	b.json = append(appendString(b.json, "reference", reference), '}')
}

// fail notes an item's error in its result.
func (b *batch) fail(err error) {
	switch unsupported := (errUnsupportedAD{}); {
	case errors.As(err, &unsupported):
	case logical.StatusOf(err) == http.StatusInternalServerError:
		b.faulted = true
	default:
		b.refused = true
	}
	b.json = appendString(b.json, "error", itemText(err))
}

// itemText is what a result may say of an error: nothing but the refusals that are meant for clients.
func itemText(err error) string {
	var e *logical.Error
	if errors.As(err, &e) {
		return e.Error()
	}
	return "internal error"
}

// finish makes the response. Its status tells of failures: the client's own come first, as trying again does not mend them.
func (b *batch) finish(d logical.Data) *logical.Response {
	b.json = append(b.json, ']', '}')
	response := respond(b.json)
	switch {
	case b.refused:
		response.Status = http.StatusBadRequest
	case b.faulted:
		response.Status = http.StatusInternalServerError
	default:
		return response
	}
	if !b.succeeded || !d.Has("partial_failure_response_code") {
		return response
	}
	if code := d.Int("partial_failure_response_code"); code >= 1 && code <= 599 {
		response.Status = code
	} else {
		response.Warnings = append(response.Warnings, fmt.Sprintf(
			"invalid HTTP response code override from partial_failure_response_code, reverting to %d", response.Status))
	}
	return response
}
