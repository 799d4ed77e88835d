package rules

import _ "embed"

// Builtin is the file of rules that audit brings along. They are never applied
// from there: a person copies what is wanted.
//
//go:embed builtin.yaml
var Builtin []byte
