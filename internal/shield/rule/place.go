package rule

import "strings"

// credentialPlace reports whether a place is a header that carries credentials to the server itself.
func credentialPlace(place string) bool {
	header, ok := strings.CutPrefix(place, "header:")
	if !ok || header == "cookie" || strings.HasPrefix(header, "proxy-") || strings.HasPrefix(header, "x-forward") {
		return false
	}
	switch header {
	case "authorization", "x-auth", "apikey", "x-apikey", "token":
		return true
	}
	for _, end := range []string{"-key", "-token", "-secret", "-authorization", "-password", "-apikey"} {
		if strings.HasSuffix(header, end) {
			return true
		}
	}
	return false
}
