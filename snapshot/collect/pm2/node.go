package pm2

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/ecosystem"
	"healthaudit/snapshot/collect"
	"healthaudit/snapshot/host"
)

// withNode evaluates in real Node what the sandbox could not, where the
// configuration allows it. Nothing of it is cached: it may depend on any file.
func withNode(ctx context.Context, s *collect.Session, d *declaration, text snapshot.File) {
	if !s.Config.PM2Node || d.err != nil || d.what.Status != ecosystem.NeedsNode || d.what.Kind == ecosystem.YAML {
		return
	}
	src, err := s.Files.Bytes(text)
	if err != nil {
		return
	}
	d.what = d.what.WithNode(ecosystem.NodeInput{
		Input: ecosystem.Input{Path: d.path, Src: src, Type: d.kind, Hash: placeless(s)},
		Root:  s.Host.Root(), Mark: rand.Text(),
		Run: func(request []byte) ecosystem.Ran { return runNode(ctx, s.Host, request) },
	})
}

func runNode(ctx context.Context, h host.Host, request []byte) ecosystem.Ran {
	program, args, err := node(ctx, h)
	if err != nil {
		return ecosystem.Ran{Code: 1, Err: err}
	}
	res, err := h.Run(ctx, host.Command{
		Program: program, Args: append(args, "-e", ecosystem.NodeScript), Env: ecosystem.NodeEnv, In: request,
		Timeout: ecosystem.NodeTimeout, MaxOut: ecosystem.NodeOutput, MaxError: 4096, MaxMemory: ecosystem.NodeMemory, Alone: true,
	})
	r := ecosystem.Ran{Out: res.Out, Code: res.Code, TimedOut: res.TimedOut, TooLarge: errors.Is(err, host.ErrTooLarge)}
	if err != nil && !r.TimedOut && !r.TooLarge {
		r.Err = errors.New("node does not start")
	}
	return r
}

var errNoNode = errors.New("there is no node on PATH outside the project")

// node returns Node's program with the arguments that bound it. Its permission
// model, where it has one, lets a file read the project and nothing else, and
// start nothing; the network it does not bound
// (https://nodejs.org/api/permissions.html: an experiment from 20.0 on, without
// that word in the option since 23.5).
func node(ctx context.Context, h host.Host) (program string, args []string, err error) {
	if program, err = h.Look("node"); err != nil {
		return "", nil, errNoNode
	}
	res, err := h.Run(ctx, host.Command{Program: program, Args: []string{"--version"}, Env: ecosystem.NodeEnv, Timeout: 2 * time.Second, MaxOut: 100})
	if err != nil {
		return "", nil, errors.New("node does not tell its version")
	}
	args = []string{fmt.Sprintf("--max-old-space-size=%d", ecosystem.NodeHeap)}
	major, minor := version(string(res.Out))
	switch {
	case major < 20:
		return program, args, nil
	case strings.ContainsAny(h.Root(), ",*"):
		return "", nil, errors.New("the path of the project has a comma or an asterisk, which Node's permission model takes for something else")
	case major > 23 || major == 23 && minor >= 5:
		args = append(args, "--permission")
	default:
		args = append(args, "--experimental-permission")
	}
	return program, append(args, "--allow-fs-read="+h.Root()+"/*"), nil
}

// version reads "v20.20.2"; a text that is none is version 0.
func version(text string) (major, minor int) {
	parts := strings.SplitN(strings.TrimPrefix(strings.TrimSpace(text), "v"), ".", 3)
	major, _ = strconv.Atoi(parts[0])
	if len(parts) > 1 {
		minor, _ = strconv.Atoi(parts[1])
	}
	return major, minor
}
