package workflow

import "testing"

func TestPlainRun(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
		sh   string
	}{
		{"make", "make\n", true, ""},
		{"make a\nmake b\n", "# why\nmake a   \n\n  # and\nmake b", true, ""},
		{"make a\r\nmake b\r\n", "make a\nmake b\n", true, ""},
		{"make ${{github.sha}}", "make ${{ github.sha }}\n", true, ""},
		{"make a", "make b", false, ""},
		{"make a\nmake b\n", "make b\nmake a\n", false, ""},
		{"make \\\n  a\n", "make \\ \n  a\n", false, ""},
		{"make \\\n#a\n", "make \\\n#b\n", false, ""},
		{"cat <<E\n# a\nE\n", "cat <<E\n# b\nE\n", false, ""},
		{"node -e '\n# a\n'", "node -e '\n# b\n'", false, ""},
		{"echo '${{ a }}' # b\n", "echo '${{ a }}' # c\n", false, ""}, // not worth reading more of the shell
		{"<#\nInvoke-Tests\n#>\n", "<#\n#>\nInvoke-Tests\n", false, "pwsh"},
		{"Invoke-Tests\n# a\n", "Invoke-Tests\n", true, "pwsh"},
		{"class A {\n  #a = 1\n}\n", "class A {\n  #b = 1\n}\n", false, "node"},
		{"#a\nb\n", "b\n", false, "cmd"},
		{"import a\n# b\n", "import a\n", true, "python3"},
	} {
		if same := plainRun(c.a, c.sh) == plainRun(c.b, c.sh); same != c.same {
			t.Errorf("%q and %q: same %v, want %v", c.a, c.b, same, c.same)
		}
	}
}
