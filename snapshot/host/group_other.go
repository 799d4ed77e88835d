//go:build !unix

package host

import "os/exec"

func ownGroup(*exec.Cmd) {}

func killGroup(*exec.Cmd) error { return nil }
