package pipeline

import (
	"slices"
	"testing"
)

func TestMaskedNames(t *testing.T) {
	for fact, want := range map[string][]string{
		"env.TOKEN":                         {"TOKEN"},
		"jobs.build.steps[2].env.TOKEN":     {"TOKEN"},
		"env.spring.password":               {"spring.password"},
		"jobs.b.env.spring.source.password": {"spring.source.password"},
		"jobs.build.env_production.API_KEY": {"API_KEY"},
		"jobs.env.steps[0].run":             nil,
		"environment":                       nil,
		"my-env.TOKEN":                      nil,
		"env-x.TOKEN":                       nil,
		"env.list[0]":                       nil,
		"env.":                              nil,
		"args.hash":                         {"args"},
		"app.node_args.hash":                {"node_args"},
		"app.args.hash.more":                nil,
		"app.my-args.hash":                  nil,
		"jobs.a.steps[0].with.github-token": {"github-token"},
		"jobs.a.steps[0].With.PASSWORD":     {"PASSWORD"},
		"jobs.a.steps[0].with.node-version": nil,
		"with.token":                        nil,
		"jobs.a.with.secrets[0]":            nil,
		"jobs.a.steps[0].with.key.hash":     nil,
		"token":                             nil,
	} {
		if got := maskedNames(fact); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", fact, got, want)
		}
	}
}
