package js

import (
	"fmt"
	"testing"
)

func TestNeeds(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{`fetch(process.env.A)`, "[{A 1 19}]"},
		{`fetch(process.env["A"])`, "[{A 1 19}]"},
		{`const a = process.env.A; if (!a) throw new Error("no A"); fetch(a)`, "[{A 1 23}]"},
		{`const { x } = f(process.env.A, process.env.A)`, "[{A 1 29}]"},
		{`fetch("a" + process.env.A)`, "[{A 1 25}]"},
		{`fetch(process.env.A || "x")`, "[]"},
		{`fetch(x || process.env.A)`, "[]"},
		{`fetch(process.env.A ?? process.env.B ?? "x")`, "[]"},
		{`const a = process.env.A; if (a) fetch(a)`, "[]"},
		{`const a = process.env.A, b = process.env.B; if (a && b) fetch(a + b)`, "[]"},
		{`if (process.env.A) fetch(process.env.A)`, "[]"},
		{`fetch(process.env.A === "1" ? 1 : 2)`, "[]"},
		{`fetch(process.env.A ? process.env.A : 2)`, "[]"},
		{`fetch(y ? process.env.A : undefined)`, "[]"},
		{`process.env.A = "1"; fetch(process.env.A)`, "[]"},
		{`process.env.A ||= "1"; fetch(process.env.A)`, "[]"},
		{`fetch(process.env.A?.trim())`, "[]"},
		{`delete process.env.A`, "[]"},
		{`if (!process.env.A) warn()`, "[]"},
		{`console.log(process.env.A)`, "[]"},
		{`const e = process.env; fetch(e.A)`, "[]"}, // whatever e is
	} {
		if got := fmt.Sprint(Parse("a.js", []byte(c.src)).Needs); got != c.want {
			t.Errorf("%s\nneeds %s, want %s", c.src, got, c.want)
		}
	}
}
