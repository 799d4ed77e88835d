package main

import "fmt"

type completionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

// Help is shown below the usage.
func (completionCmd) Help() string {
	return `bash:  audit completion bash > ~/.local/share/bash-completion/completions/audit
zsh:   audit completion zsh > "${fpath[1]}/_audit"
fish:  audit completion fish > ~/.config/fish/completions/audit.fish

Or for this shell only: source <(audit completion bash). What is completed is asked of audit itself, so the script need not be written again after an upgrade: commands, flags, checks, rules, and the items of the latest snapshot.`
}

// Run prints the script.
func (c *completionCmd) Run(a *App) error {
	_, err := fmt.Fprint(a.Stdout, completionScripts[c.Shell])
	return err
}

// completionScripts ask audit internal complete. Where it has nothing to say a
// file may stand: bash by -o default, zsh by _files, fish by its own means.
var completionScripts = map[string]string{
	"bash": `# bash completion of audit
_audit() {
    local word
    COMPREPLY=()
    while IFS= read -r word; do # mapfile is not in the bash of macOS
        COMPREPLY+=("$word")
    done < <(audit internal complete bash -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
}
complete -o default -F _audit audit
`,
	"zsh": `#compdef audit
# zsh completion of audit
_audit() {
    local -a found
    local last=$PREFIX
    [[ -n $compstate[quote] ]] || last=${(Q)PREFIX}
    found=("${(@f)$(audit internal complete zsh -- "${(@Q)words[2,CURRENT-1]}" "$last" 2>/dev/null)}")
    if [[ -n "$found[1]" ]]; then
        _describe audit found
    else
        _files
    fi
}
if [[ "$funcstack[1]" == _audit ]]; then
    _audit "$@"
else
    compdef _audit audit
fi
`,
	"fish": `# fish completion of audit
function __audit_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l last (string unescape -- "$typed"; or string unescape -- "$typed'"; or string unescape -- "$typed\"") # a quote may be open
    set -l found (audit internal complete fish -- $words[2..] "$last" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c audit -f -a '(__audit_complete)'
`,
}
