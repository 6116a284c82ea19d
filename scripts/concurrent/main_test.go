package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// module is a module without goroutines. Package top imports mid; mid imports low and a library.
var module = map[string]string{
	"go.mod":          "module m\n\ngo 1.26.0\n\nrequire example.org/lib v0.0.0\n\nreplace example.org/lib => ./lib\n",
	"lib/go.mod":      "module example.org/lib\n\ngo 1.26.0\n",
	"lib/lib.go":      "package lib\n\nfunc Do() { do() }\n",
	"lib/do.go":       "package lib\n\nfunc do() {}\n",
	"low/low.go":      "package low\n\nfunc F() {}\n",
	"low/low_test.go": "package low\n\nimport \"testing\"\n\nfunc TestF(t *testing.T) { help(t); F() }\n\nfunc TestG(*testing.T) {}\n",
	"low/x_test.go":   "package low\n\nimport \"testing\"\n\nfunc help(t *testing.T) { t.Helper(); new(T).helpMore() }\n",
	"low/y_test.go":   "package low\n\nimport \"testing\"\n\ntype T struct{}\n\nfunc (T) helpMore() {}\n\nfunc FuzzF(*testing.F) {}\n\nfunc init() {}\n",
	"mid/mid.go":      "package mid\n\nimport (\n\t\"m/low\"\n\n\t\"example.org/lib\"\n)\n\nfunc F() { low.F(); lib.Do() }\n",
	"mid/mid_test.go": "package mid\n\nimport \"testing\"\n\nfunc TestF(t *testing.T) { F() }\n",
	"top/top.go":      "package top\n\nimport \"m/mid\"\n\nfunc F() { mid.F() }\n",
	"top/top_test.go": "package top_test\n\nimport (\n\t\"testing\"\n\n\t\"m/top\"\n)\n\nfunc TestF(t *testing.T) { top.F() }\n",
}

// TestChoices checks which tests are found after one change to the module.
func TestChoices(t *testing.T) {
	for _, tt := range []struct{ name, file, old, new, want string }{
		{"no goroutine", "low/low.go", "", "", ""},
		{"in product code", "low/low.go", "{}", "{ go func() {}() }", "m/low\nm/mid\nm/top"},
		{"by a wait group", "mid/mid.go", "low.F()", "new(sync.WaitGroup).Go(low.F)", "m/mid\nm/top"},
		{"by a timer", "mid/mid.go", "low.F()", "time.AfterFunc(1, low.F)", "m/mid\nm/top"},
		{"in a library", "lib/do.go", "{}", "{ go func() {}() }", "m/mid"},
		{"in a test", "low/low_test.go", "(*testing.T) {}", "(*testing.T) { go F() }", "m/low\t^(TestG)$"},
		{"by a test", "low/low_test.go", "help(t)", "t.Parallel()", "m/low\t^(TestF)$"},
		{"in a method that a test reaches", "low/y_test.go", "helpMore() {", "helpMore() { go F()", "m/low\t^(TestF)$"},
		{"in a fuzz target", "low/y_test.go", "F) {", "F) { go F()", "m/low\t^(FuzzF)$"},
		{"before all tests", "low/y_test.go", "init() {", "init() { go F()", "m/low\t^(.*)$"},
		{"by a variable of a test file", "low/y_test.go", "func init() {}", "var x = func() int { go F(); return 0 }()", "m/low\t^(.*)$"},
		{"in tests outside the package", "top/top_test.go", "top.F()", "go top.F()", "m/top\t^(TestF)$"},
		{"in a server of a test", "top/top_test.go", "import (", "import (\n\t_ \"net/http/httptest\"", "m/top"},
		{"in a server", "mid/mid.go", "import (", "import (\n\t_ \"net/http\"", "m/mid\nm/top"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, files := t.TempDir(), maps.Clone(module)
			files[tt.file] = strings.Replace(files[tt.file], tt.old, tt.new, 1)
			if files[tt.file] == module[tt.file] && tt.old != "" {
				t.Fatalf("%s has no %q", tt.file, tt.old)
			}
			for _, use := range []string{"sync", "time"} {
				if strings.Contains(tt.new, use+".") {
					files[tt.file] = strings.Replace(files[tt.file], "import (", "import (\n\t\""+use+"\"", 1)
				}
			}
			for name, text := range files {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			choices, err := run(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, c := range choices {
				lines = append(lines, c.line())
				if c.reason == "" {
					t.Errorf("%s: without a reason", c.path)
				}
			}
			if got := strings.Join(lines, "\n"); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}
