package workflow

import "testing"

func TestPlainRun(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"make", "make\n", true},
		{"make a\nmake b\n", "# why\nmake a   \n\n  # and\nmake b", true},
		{"make a\r\nmake b\r\n", "make a\nmake b\n", true},
		{"make ${{github.sha}}", "make ${{ github.sha }}\n", true},
		{"make a", "make b", false},
		{"make a\nmake b\n", "make b\nmake a\n", false},
		{"make \\\n  a\n", "make \\ \n  a\n", false},
		{"make \\\n#a\n", "make \\\n#b\n", false},
		{"cat <<E\n# a\nE\n", "cat <<E\n# b\nE\n", false},
		{"node -e '\n# a\n'", "node -e '\n# b\n'", false},
		{"echo '${{ a }}' # b\n", "echo '${{ a }}' # c\n", false}, // not worth reading more of the shell
	} {
		if same := plainRun(c.a) == plainRun(c.b); same != c.same {
			t.Errorf("%q and %q: same %v, want %v", c.a, c.b, same, c.same)
		}
	}
}
