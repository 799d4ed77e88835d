package python

import (
	"fmt"
	"testing"
)

func TestNeeds(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"import os\nkey = os.environ['A']\nkey = os.environ['A']\n", "[{A 2 7}]"},
		{"x = os.environ[\"A\"] == '1'\n", "[{A 1 5}]"},
		{"# os.environ['A']\n", "[]"},
		{"os.environ['A'] = '1'\nprint(os.environ['A'])\n", "[]"},
		{"del os.environ['A']\n", "[]"},
		{"if 'A' in os.environ:\n    print(os.environ['A'])\n", "[]"},
		{"os.environ.setdefault('A', '1')\nprint(os.environ['A'])\n", "[]"},
		{"try:\n    a = os.environ['A']\nexcept KeyError:\n    a = ''\n", "[]"},
		{"a = os.environ.get('A')\n", "[]"},
	} {
		if got := fmt.Sprint(Needs([]byte(c.src))); got != c.want {
			t.Errorf("%q needs %s, want %s", c.src, got, c.want)
		}
	}
}
