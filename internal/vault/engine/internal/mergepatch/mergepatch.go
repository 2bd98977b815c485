// Package mergepatch applies JSON merge patches: RFC 7396.
package mergepatch

import "maps"

// Apply returns target with patch merged into it. Both are values as encoding/json decodes them; neither is changed, but the
// result shares parts with both. In an object, null removes a member; anything but an object replaces the target.
func Apply(target, patch any) any {
	changes, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	old, _ := target.(map[string]any)
	merged := make(map[string]any, len(old)+len(changes))
	maps.Copy(merged, old)
	for name, change := range changes {
		if change == nil {
			delete(merged, name)
		} else {
			merged[name] = Apply(merged[name], change)
		}
	}
	return merged
}
