package collect

import (
	"context"
	"errors"
	"strings"
)

// Branches returns the names of the branches that the clone knows of where it was
// cloned from, and its own. ErrNoHistory is returned where these need not be all: it
// was cloned from nowhere, as one branch, or without its history, as in CI.
func (s *Session) Branches(ctx context.Context) (map[string]bool, error) {
	if s.Repository == nil || s.Repository.Commit == "" {
		return nil, ErrNoHistory
	}
	shallow := ask(func() ([]byte, error) { return git(ctx, s.Host, nil, "rev-parse", "--is-shallow-repository") })
	fetched := ask(func() ([]byte, error) { return git(ctx, s.Host, nil, "config", "--get-all", "remote.origin.fetch") })
	refs, err := git(ctx, s.Host, nil, "for-each-ref", "--format=%(refname)", "refs/heads/", "refs/remotes/origin/")
	is, serr := shallow()
	spec, ferr := fetched()
	switch {
	case ferr != nil || !strings.Contains("\n"+string(spec), "\n+refs/heads/*:refs/remotes/origin/*\n"):
		return nil, ErrNoHistory // git config fails where there is no such key
	case errors.Join(err, serr) != nil:
		return nil, errors.Join(err, serr)
	case strings.TrimSpace(string(is)) == "true":
		return nil, ErrNoHistory
	}
	out, remote := map[string]bool{}, false
	for ref := range strings.Lines(string(refs)) {
		ref = strings.TrimRight(ref, "\n")
		if name, ok := strings.CutPrefix(ref, "refs/remotes/origin/"); ok && name != "HEAD" {
			out[name], remote = true, true
		} else if name, ok := strings.CutPrefix(ref, "refs/heads/"); ok {
			out[name] = true
		}
	}
	if !remote {
		return nil, ErrNoHistory
	}
	return out, nil
}
