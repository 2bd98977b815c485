package server

// ParseObject is parseObject for tests.
func ParseObject(b []byte) (map[string]any, error) { return parseObject(b) }
