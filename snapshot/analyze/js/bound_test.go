package js

import (
	"fmt"
	"strings"
	"testing"
)

// Each of these took minutes, or the whole stack, before it was bounded: that
// the test ends is the proof.
func TestParse_isBounded(t *testing.T) {
	var exports, requires strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&exports, "exports.a%d='é';", i)
		fmt.Fprintf(&requires, "require('./x%d');", i)
	}
	for name, src := range map[string]string{
		"exports on one line": exports.String(), "requires on one line": requires.String(),
		"sums": strings.Repeat("1+", 500_000) + "1", "commas": strings.Repeat("a,", 500_000) + "1",
		"commas in a function": "function f(){" + strings.Repeat("a,", 500_000) + "1}", "arguments": "f(" + strings.Repeat("a,", 500_000) + "1)",
	} {
		m := Parse("x.js", []byte(src))
		if len(m.Exports) > maxNames || len(m.Imports) > maxNames {
			t.Errorf("%s: %d exports, %d imports", name, len(m.Exports), len(m.Imports))
		}
		if m.Unjudged == "" && m.Complete {
			t.Errorf("%s: called complete", name)
		}
	}
	data := Parse("x.js", []byte("module.exports=["+strings.Repeat("1,", 200_000)+"1]"))
	if data.Unjudged != "" {
		t.Errorf("a long list is no nesting: %s", data.Unjudged)
	}
}

// Places on a long line with wide characters are exact.
func TestParse_placesOnALongLine(t *testing.T) {
	src := "const s='" + strings.Repeat("é😀", 3000) + "';require('./a');"
	m := Parse("x.js", []byte(src))
	if len(m.Imports) != 1 || m.Imports[0].Column != strings.Index(src, "'./a'")+1 {
		t.Errorf("%+v, want column %d", m.Imports, strings.Index(src, "'./a'")+1)
	}
}

// Each of these takes the parser time that grows with the square, or gigabytes,
// when it is not refused.
func TestParse_refusesRepetition(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of megabytes to parse: not in short runs")
	}
	var directives strings.Builder
	for i := range 30_000 {
		fmt.Fprintf(&directives, "'a%d';", i)
	}
	for _, c := range []struct{ before, unit, after string }{
		{"", `import a from "x";`, ""}, {"import {", "a,", "b} from 'x'"}, {"", "let a;", ""}, {"", "const a=1\n", ""}, {"let [", "a,", "b]=c"},
		{"let {", "a=1,", "b}=c"}, {"", "let {a,b,c}=d;", ""}, {"", "var a;", ""}, {"", "var {a,b,c}=d;", ""}, {"", "function a(){}", ""},
		{"'use strict';{", "function a(){}", "}"}, {"", "class a{}", ""}, {"", "export const a=1;", ""}, {"", "export var a;", ""}, {"let a;", "export {a};", ""},
		{"let a;export {", "a as 'b',", "a}"}, {"", "export default 1;", ""}, {"", "export {a} from 'x';", ""}, {"let a;", "{var a};", ""}, {"let a;", "{{{var a}}};", ""},
		{"'use strict';", "function f(" + strings.Repeat("a,", 4000) + "b){}", ""}, {"'use strict';function f([", "a,", "b]){}"}, {"", "(" + strings.Repeat("a,", 4000) + "b)=>{};", "class a{}"}, {"a=>{", "let a;", "}"},
		{"", "function f(a){let a}", ""}, {"", "a=>{let a};", ""}, {"export{};", "010;", ""}, {"", "-010;", "export{}"}, {"'use strict';", `'\01';`, ""},
		{"export{};", "with(a)b;", ""}, {"import a from 'x';", "delete a;", ""}, {"import a from 'x';", "delete (a);", ""}, {"export{};", "eval=1;", ""},
		{"export{};", "arguments+=1;", ""}, {"export{};", "var eval;", ""}, {"export{};", "if(a)function b(){}", ""}, {"export{};", "a:function b(){}", ""},
		{"export{};", "static;", ""}, {"'use strict';", "public=1;", ""}, {"export{};", "for(var a=1 in b);", ""}, {"class A{static{", "010;", "}}"},
		{"class A{", "a(){}", "}"}, {"class A{", "a;", "}"}, {"class A{", "#a;", "}"}, {"class A{", "get #a(){}", "}"}, {"class A{", "@a b(){}", "}"}, {"x={", "__proto__:1,", "}"}, {"x={", "'__proto__':1,", "}"},
		{"import a from 'x' with {", "type:'json',", "}"}, {"using b=c;const a=1;", "a=2;", ""}, {"", "/*! a */", ""}, {"import(", "/*a*/", "'b')"},
		{"enum A{", "B,", "}"}, {directives.String(), "a;", ""}, {"", "{};", ""},
	} {
		size := 1_000_000
		if c.unit == "{};" {
			size = MaxSize - 1
		}
		src := c.before + strings.Repeat(c.unit, size/len(c.unit)) + c.after
		if m := Parse("x.ts", []byte(src)); m.Unjudged != "repeats itself too often to be parsed" {
			t.Errorf("%s%.30s…: %q, %d problems", c.before, c.unit, m.Unjudged, len(m.Problems))
		}
	}
}

// What real code repeats is no reason to refuse it.
func TestParse_judgesBundles(t *testing.T) {
	for name, unit := range map[string]string{
		"modules":       "1:function(e,t,n){\"use strict\";const r=n(2),{a:o,b:i}=n(3);var a=r,s;class c{#a;delete(e){return delete e.a}}t.x=(e,t)=>{let n=e;for(var a=0;a<t;a++)n+=f(arguments,a);return n}},\n",
		"classes":       "class %d extends B{static a=1;get c(){}set c(a){}static{this.b=2}with(e){return e?.with(e)}}",
		"declarations":  "const {a:a%d,b:[b%[1]d]}=require('x'),c%[1]d=function c(c){switch(c){case 1:{let c=1;return c}default:{let c=2;return c}}};",
		"numbers":       "x%d=[0.01,1e-05,1.5e-07,'\\0',/(a)\\1/];",
		"old functions": "function a%d(e){var t=[].slice.call(arguments),e=e||{};if(t)var t=1;return b(arguments)?e:t}",
		"generators":    "function*g%d(){const a=yield b;yield(a);yield[a]}",
		"overloads":     "export function a%d(a:string):void;export function a%[1]d(a:number):void;export function a%[1]d(a:any){}",
		"catches":       "try{a()}catch(e){b(e)}try{a()}catch({message:e}){b(e)}",
	} {
		var b strings.Builder
		b.WriteString("x({")
		if name != "modules" {
			b.Reset()
			b.WriteString("export {};")
		}
		for i := 0; b.Len() < 1_000_000; i++ {
			switch {
			case name == "classes":
				fmt.Fprintf(&b, strings.Replace(unit, "%d", "A%d", 1), i)
			case strings.Contains(unit, "%"):
				fmt.Fprintf(&b, unit, i)
			default:
				b.WriteString(unit)
			}
		}
		if name == "modules" {
			b.WriteString("})")
		}
		n := measure([]byte(b.String()))
		if n.names.tooSlow() || n.deepest > MaxNesting {
			t.Errorf("%s: refused: %d bytes apart, %d in strict code, %d bound again", name, n.names.far, n.names.strict, n.names.again)
		}
	}
}
