package script

import (
	"fmt"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/js"
	"healthaudit/snapshot/analyze/refs"
	"healthaudit/snapshot/analyze/trait"
)

// Values of the fact "module": what a JavaScript file is written as.
const (
	moduleES     = "esm"
	moduleCommon = "commonjs"
	moduleBoth   = "both" // which no version of Node runs
)

// A moduleForm is what a JavaScript file is written as, and where that shows.
type moduleForm struct {
	Form   string `json:"f"`
	Line   int    `json:"l"`
	Column int    `json:"c"`
}

func addModule(it *snapshot.Item, m *moduleForm) {
	if m == nil {
		return
	}
	it.Add(snapshot.Semantic, "module", snapshot.Text(m.Form))
	it.Add(snapshot.Detail, "module-place", snapshot.Text(fmt.Sprintf("%d:%d", m.Line, m.Column)))
}

// formOf returns what a file is written as; nil for one that runs as either.
func formOf(o js.Outline) *moduleForm {
	switch {
	case o.ESM != nil && o.Common != nil:
		return &moduleForm{moduleBoth, o.Common.Line, o.Common.Column}
	case o.ESM != nil:
		return &moduleForm{moduleES, o.ESM.Line, o.ESM.Column}
	case o.Common != nil:
		return &moduleForm{moduleCommon, o.Common.Line, o.Common.Column}
	}
	return nil
}

// commandMarks returns what a command is like that stands on one line of a file.
func commandMarks(marks []trait.Mark, o refs.Origin, exact bool) []trait.Mark {
	for i := range marks {
		if exact && marks[i].Line == 1 {
			marks[i].Column += o.Column - 1
		} else {
			marks[i].Column = o.Column
		}
		marks[i].Line = o.Line
	}
	return marks
}
