package btfbatch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// spelt are strings that are written once, as a constant with a name. The product uses the constant.
var spelt = []struct {
	text, name, file string
}{
	{btf.SectionBTF, "btf.SectionBTF", "encoder/btf/section.go"},
	{btf.SectionBase, "btf.SectionBase", "encoder/btf/section.go"},
	{btf.SectionIDs, "btf.SectionIDs", "encoder/btf/section.go"},
	{btf.SectionPerCPU, "btf.SectionPerCPU", "encoder/btf/section.go"},
}

func TestSpeltOnce(t *testing.T) {
	found := map[string]int{}
	for _, s := range sources(t) {
		if s.test || slices.Contains(testRooms, s.room) {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), s.path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				return true
			}
			for _, row := range spelt {
				switch {
				case text != row.text:
				case s.path == row.file:
					found[row.text]++
				default:
					t.Errorf("%s has %s, which is %s", s.path, lit.Value, row.name)
				}
			}
			return true
		})
	}
	for _, row := range spelt {
		if found[row.text] != 1 {
			t.Errorf("%s has %q %d times, want once", row.file, row.text, found[row.text])
		}
	}
}

// TestKindSetsAreShared: a set of modifiers is btf.Modifiers, btf.References or made of these. No case lists its kinds.
func TestKindSetsAreShared(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || s.room == "encoder/btf" || slices.Contains(testRooms, s.room) {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), s.path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			var list []ast.Expr
			switch n := n.(type) {
			case *ast.CaseClause:
				list = n.List
			case *ast.CallExpr:
				list = n.Args
			case *ast.CompositeLit:
				list = n.Elts
			}
			qualifiers := 0
			for _, e := range list {
				if sel, ok := e.(*ast.SelectorExpr); ok && slices.Contains([]string{"KindConst", "KindVolatile", "KindRestrict"}, sel.Sel.Name) {
					qualifiers++
				}
			}
			if qualifiers == 3 {
				t.Errorf("%s lists the qualifiers of C, which are btf.Qualifiers", s.path)
			}
			return true
		})
	}
}

// opens and makes are the functions by which the standard library opens files, and makes or replaces them. Package input is to open
// them, and package publish to make them; files that call these functions themselves say why.
var (
	opens = []string{"Open", "ReadFile", "OpenInRoot", "OpenRoot"}
	makes = []string{"Create", "CreateTemp", "Link", "OpenFile", "Rename", "Symlink", "Truncate", "WriteFile"}
	doors = map[string]string{
		"encoder/input/input.go":                  "package input",
		"encoder/input/spool.go":                  "a temporary file without a name, for a pipe that is read twice",
		"encoder/input/scratch.go":                "a temporary file without a name, for files of packages",
		"encoder/input/member.go":                 "packages, which are not read as a whole",
		"corpus/source/apt/archive.go":            "the configuration and the index of apt",
		"corpus/source/apt/entry.go":              "the configuration of the system's apt",
		"corpus/source/http/store.go":             "the download folder",
		"corpus/cache/cache.go":                   "the folder of results",
		"corpus/store/folder/folder.go":           "a file that is published does not replace one, and package publish replaces",
		"corpus/store/oci/credentials.go":         "the configuration of docker",
		"corpus/store/s3/credentials.go":          "the configuration of Amazon's tools",
		"encoder/elf/embed.go":                    "the copy of a library user: a file that does not exist yet",
		"encoder/internal/debugfile/debugfile.go": "a checksum of the bytes as they are stored",
		"cmd/internal/publish/publish.go":         "package publish; a folder is opened to be synchronised",
		"cmd/internal/publish/temporary.go":       "package publish",
		"cmd/internal/publish/new.go":             "package publish",
		"cmd/internal/publish/back.go":            "package publish",
		"cmd/internal/claim/claim.go":             "claims, which belong to running processes; the files that are claimed are not touched",
		"cmd/internal/paths/paths.go":             "a folder",
		"cmd/internal/pahole/encode.go":           "devices, pipes and standard output, which nobody can replace",
		"cmd/internal/reports/actions.go":         "GitHub makes the file, and steps append to it",
	}
)

func TestFilesHaveOneDoor(t *testing.T) {
	used := map[string]bool{}
	for _, s := range sources(t) {
		if s.test || slices.Contains(testRooms, s.room) || strings.HasPrefix(s.room, "scripts/") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), s.path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); !ok || x.Name != "os" || !slices.Contains(opens, sel.Sel.Name) && !slices.Contains(makes, sel.Sel.Name) {
				return true
			}
			if used[s.path] = true; doors[s.path] == "" {
				t.Errorf("%s calls os.%s: input opens files, and publish makes them", s.path, sel.Sel.Name)
			}
			return true
		})
	}
	for path := range doors {
		if !used[path] {
			t.Errorf("%s opens and makes no file itself any more", path)
		}
	}
}
