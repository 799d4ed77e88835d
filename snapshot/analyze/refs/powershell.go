package refs

import "strings"

// powershellSwitches are the options of pwsh and powershell without a value, in
// small letters and with their short forms; every other but -File and those that
// bring code takes the next word.
// Source: pwsh -Help (7.4), powershell.exe -? (5.1).
const powershellSwitches = " -noprofile -nop -noninteractive -noni -nologo -nol -noexit -noe -interactive -i -login -l -sta -mta" +
	" -noprofileloadtime -sshservermode -sshs "

// powershell notes the script that pwsh or powershell runs: that of -File, or the
// first word without a dash, which both run when it is a path.
func (w *walker) powershell(args []word, at place) {
	for i := 0; i < len(args) && args[i].known; i++ {
		a := args[i]
		option := strings.ToLower(a.text)
		switch {
		case !a.option():
			w.ps1(a.with(args[i+1:]), at)
			return
		case option == "-file" || option == "-f":
			if i+1 < len(args) {
				w.ps1(args[i+1].with(args[i+2:]), at)
			}
			return
		case strings.HasPrefix("-command", option), strings.HasPrefix(option, "-e") && strings.HasPrefix("-encodedcommand", option),
			strings.HasPrefix(option, "-commandwithargs"), option == "-cwa", option == "-version", option == "-v", option == "-help", option == "-h":
			return
		case option == "-workingdirectory" || option == "-wd" || option == "-wo":
			if i++; i < len(args) {
				at = at.in(args[i])
			}
		case !strings.Contains(powershellSwitches, " "+option+" "):
			i++
		}
	}
}

func (w *walker) ps1(f word, at place) {
	if strings.HasSuffix(strings.ToLower(f.text), ".ps1") {
		w.read(f, at)
	}
}
