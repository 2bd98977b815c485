package vaultcmd

// What the tests of the parts use.
var (
	YAMLOf        = yamlOf
	WrapPadded    = wrapPadded
	WrapForImport = wrapForImport
	NewOTP        = newOTP
	Wrap          = wrap
	Span          = span
)
