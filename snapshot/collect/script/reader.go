package script

import (
	"path"

	"healthaudit/snapshot"
	"healthaudit/snapshot/analyze/js"
	"healthaudit/snapshot/collect"
)

// A reader analyses a few files, one after another. What can be asked of many at
// once at less cost, whether JavaScript is sound, it asks for all of them that are
// not known yet, when the first of them is read.
type reader struct {
	s     *collect.Session
	files []snapshot.File
	texts map[int][]byte // read ahead, until they are analysed
	sound map[int]bool   // nil while nobody has asked
}

const analysisName = "script.file"

func inputs(f snapshot.File) []string { return []string{f.SHA256, f.Path} }

func (r *reader) analyse(i int) analysis {
	f := r.files[i]
	compute := func() analysis { return r.compute(i) }
	a := snapshot.Derive(r.s.Derived, analysisName, analysisVersion, inputs(f), compute)
	if !a.Done {
		a = compute()
	}
	return a
}

func (r *reader) compute(i int) analysis {
	f := r.files[i]
	if plainJS(f) && r.sound == nil {
		r.ahead(i)
	}
	b, ok := r.texts[i]
	if delete(r.texts, i); !ok {
		var err error
		if b, err = r.s.Files.Bytes(f); err != nil {
			return analysis{}
		}
	}
	return analyseBytes(f.Path, b, r.sound[i])
}

// ahead reads the JavaScript from the file i on.
func (r *reader) ahead(i int) {
	r.texts, r.sound = map[int][]byte{}, map[int]bool{}
	var at []int
	var texts [][]byte
	for j := i; j < len(r.files); j++ {
		f := r.files[j]
		if !plainJS(f) || j > i && r.s.Derived.Has(analysisName, analysisVersion, inputs(f)) {
			continue
		}
		if b, err := r.s.Files.Bytes(f); err == nil {
			r.texts[j] = b
			at, texts = append(at, j), append(texts, b)
		}
	}
	for n, ok := range js.Sound(texts) {
		r.sound[at[n]] = ok
	}
}

// maxAhead is the largest file, in bytes, that is read ahead.
const maxAhead = 256 << 10

// plainJS reports whether a file is JavaScript by its name.
func plainJS(f snapshot.File) bool {
	return f.SHA256 != "" && f.Link == "" && f.Size <= maxAhead && languages[path.Ext(f.Path)] == langJS
}
