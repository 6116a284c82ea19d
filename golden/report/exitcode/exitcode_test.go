package exitcode

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// codes are the constants of this package.
func codes(t *testing.T) (list []int) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "exitcode.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.INT {
			code, err := strconv.Atoi(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, code)
		}
		return true
	})
	return list
}

var (
	row    = regexp.MustCompile(`(?m)^\| (\d+) \|`)                    // of a table
	inText = regexp.MustCompile(`(?:^|[,;:] )(\d+) [a-z]`)             // of a line of a help text
	line   = regexp.MustCompile(`(?m)^(?:// )?Exit codes?: .*$`)       // that line
	table  = regexp.MustCompile(`(?s)## Exit codes\n(.*?)(?:\n## |$)`) // the chapter of a document
)

func numbers(t *testing.T, re *regexp.Regexp, text string) (list []int) {
	t.Helper()
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		code, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, code)
	}
	return list
}

// TestDocuments: the tables and the help texts name the codes of this package, all of them and no others.
func TestDocuments(t *testing.T) {
	const root = "../../../"
	program := slices.DeleteFunc(codes(t), func(code int) bool { return code == PaholeUsage })
	inPlace := slices.DeleteFunc(codes(t), func(code int) bool { return code == Usage || code == Differs || code == TryAgain })
	for _, tt := range []struct {
		file string
		want []int
	}{
		{"README.md", program},
		{"docs/drop-in.md", inPlace},
		{"cmd/btfbatch/main.go", program},
		{"cmd/btfbatch/testdata/help.golden", program},
		{"cmd/btfbatch/testdata/help-pahole.golden", inPlace},
	} {
		data, err := os.ReadFile(root + tt.file)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(data), "\r\n", "\n")
		var got []int
		if m := table.FindStringSubmatch(text); m != nil {
			got = numbers(t, row, m[1])
		} else {
			got = numbers(t, inText, line.FindString(text))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got exit codes %v, want %v", tt.file, got, tt.want)
		}
	}
}
