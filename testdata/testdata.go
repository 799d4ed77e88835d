// Package testdata carries the documented cases of the checks into the binary,
// so that audit check explain shows examples that tests execute.
package testdata

import "embed"

// Checks holds check/<id>/bad.txtar and good.txtar.
//
//go:embed check
var Checks embed.FS
