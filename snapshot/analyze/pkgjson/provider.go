package pkgjson

import (
	"slices"
	"strings"
)

// providers maps programs that come with packages, and that hardly anybody
// installs for the whole machine, to the packages that install them. "=" is the
// package of the program's own name.
// Source: the "bin" of each package as npm has it.
var providers = map[string]string{
	"tsc": "typescript typescript-native-preview", "tsserver": "typescript", "eslint": "=", "prettier": "=", "jest": "= jest-cli", "vitest": "=", "mocha": "=",
	"vite": "= rolldown-vite vite-plus", "webpack": "= webpack-cli", "rollup": "=", "nodemon": "=", "concurrently": "=", "cross-env": "=", "cross-env-shell": "cross-env",
	"rimraf": "=", "ts-node": "=", "tsx": "=", "tsup": "=", "ts-node-dev": "=", "tsnd": "ts-node-dev", "next": "=", "react-scripts": "=", "vue-tsc": "=",
	"vue-cli-service": "@vue/cli-service", "astro": "=", "nuxt": "= nuxi nuxt-edge nuxt3", "nuxi": "= nuxt", "remix": "@remix-run/dev @remix-run/serve", "tailwindcss": "= @tailwindcss/cli",
	"postcss": "postcss-cli", "stylelint": "=", "c8": "=", "nyc": "=", "npm-run-all": "= npm-run-all2", "run-s": "npm-run-all npm-run-all2", "run-p": "npm-run-all npm-run-all2",
	"drizzle-kit": "=", "cypress": "=", "esbuild": "=", "babel": "@babel/cli babel-cli", "babel-node": "@babel/node babel-cli", "swc": "@swc/cli",
	"typedoc": "=", "lint-staged": "=", "commitlint": "@commitlint/cli", "semantic-release": "=", "changeset": "@changesets/cli", "tap": "= tap-mocha-reporter", "ava": "=",
	"xo": "=", "karma": "= karma-cli", "json-server": "=", "copyfiles": "=", "shx": "=", "wait-on": "=", "start-server-and-test": "=", "env-cmd": "=",
	"dotenv": "dotenv-cli", "start-storybook": "@storybook/react", "svelte-kit": "@sveltejs/kit", "svelte-check": "=", "parcel": "= parcel-bundler",
	"electron-builder": "=", "size-limit": "=", "knip": "=", "depcheck": "=", "madge": "=", "publint": "=", "syncpack": "=", "patch-package": "=", "microbundle": "=",
	"unbuild": "=", "tsdx": "=", "preconstruct": "@preconstruct/cli", "cpx": "= cpx2", "ncp": "=", "del-cli": "=", "tsc-alias": "=", "tsd": "=", "attw": "@arethetypeswrong/cli",
}

// Lacks reports whether a program comes with a package, and a package.json names
// none that brings it: no dependency, and not itself. A program that is not
// known is not lacking.
func (p *Package) Lacks(program string) bool {
	list, known := providers[program]
	if _, own := p.Bin[program]; !known || own {
		return false
	}
	return !slices.ContainsFunc(strings.Fields(list), func(name string) bool {
		if name == "=" {
			name = program
		}
		_, named := slices.BinarySearch(p.Deps, name)
		return named || p.Name == name
	})
}
