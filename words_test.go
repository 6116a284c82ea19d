package btfbatch_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// banned lists phrases that a reader of technical English stumbles over, and what to write instead. CONTRIBUTING.md has the
// reasons, under Words. Each has an example that it must match.
var banned = []struct {
	phrase  *regexp.Regexp
	instead string
	example string
}{
	{regexp.MustCompile(`(?i)\bin comes?\b`), `"Input: ..."`, "In come an image and options;"},
	{regexp.MustCompile(`(?i)[;.] out (?:comes?|go|goes)\b`), `"Output: ..."`, "; out come types."},
	{regexp.MustCompile(`(?i)\bso that\b[^.;]{0,80}\bneeds? not\b`), "what the design achieves, in a sentence of its own", "so that one image need not know of it"},
	{regexp.MustCompile(`(?i)\btold all at once\b|\btold at once\b`), `"reported in one run"`, "Mistakes are told all at once."},
	{regexp.MustCompile(`(?i)\bwhat of (?:it|them|these) (?:concerns|is|are|has)\b`), `"the part that ..."`, "What of it concerns types runs first."},
	{regexp.MustCompile(`(?i)\b(?:of which|of whom) (?:nothing is said|nobody knows)\b`), "who does not know or mention it", "a name of which nothing is said"},
	{regexp.MustCompile(`(?i)\bnothing \w+ about it\b`), "the plain adjective", "This way has nothing fast about it."},
	{regexp.MustCompile(`(?i)\b(?:,|;) be (?:it|there|they)\b`), `"whether or not"`, "gives up, be there one or not"},
	{regexp.MustCompile(`(?i)\banew\b`), `"again"`, "The tables are made anew."},
	{regexp.MustCompile(`(?i)\b(?:has|have) not(?:[,.;:)"]|$)`), `"lacks" or "does not have"`, "a kind that BTF has not."},
	{regexp.MustCompile(`(?i)\blets? go of\b`), `"releases"`, "each pass lets go of it"},
	{regexp.MustCompile(`(?i)\bone behind the other\b`), `"one after another"`, "read one behind the other"},
	{regexp.MustCompile(`(?i)\bbut for\b`), `"except"`, "equal but for their names"},
	{regexp.MustCompile(`(?i)\bbe there one\b`), `"whether or not there is one"`, "be there one or not"},
	{regexp.MustCompile(`(?i)\bwild names?\b|\bjoinWild\b|\bhasten\w*\b`), "the glossary's term: ambiguous name", "a wild name"},
	{regexp.MustCompile(`(?i)\bfailed to\b`), "what is wrong", "failed to open"},
}

// quotes are the files that quote messages of pahole or the kernel.
var quotes = []string{"cmd/internal/pahole/encode.go", "scripts/bootcheck/guest/main.go"}

// badPhrase returns the first banned phrase in a text, and what to write instead.
func badPhrase(text string) (found, instead string) {
	text = strings.Join(strings.Fields(text), " ")
	for _, b := range banned {
		if found := b.phrase.FindString(text); found != "" {
			return found, b.instead
		}
	}
	return "", ""
}

// goTexts returns the comments of a Go file and, unless it is a test, its string literals, by line.
func goTexts(fset *token.FileSet, f *ast.File, test bool) map[int]string {
	texts := map[int]string{}
	for _, group := range f.Comments {
		texts[fset.Position(group.Pos()).Line] = group.Text()
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && !test {
			texts[fset.Position(lit.Pos()).Line] += " " + strings.ReplaceAll(lit.Value, `\n`, " ")
		}
		return true
	})
	return texts
}

// prose returns the paths of documents, scripts and workflows.
func prose(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, pattern := range []string{"*.md", "docs/*.md", "corpus/*/README.md", "corpus/*.yaml", "scripts/*.sh", ".ci/*", ".github/workflows/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	return paths
}

// TestWords: comments, messages, documents and scripts are free of banned phrases. CONTRIBUTING.md, which quotes them, is left out.
func TestWords(t *testing.T) {
	for _, s := range sources(t) {
		if s.path == "words_test.go" || slices.Contains(quotes, s.path) {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, s.path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for line, text := range goTexts(fset, f, s.test) {
			if found, instead := badPhrase(text); found != "" {
				t.Errorf("%s:%d: %q; write %s", s.path, line, found, instead)
			}
		}
	}
	for _, path := range prose(t) {
		if path == "CONTRIBUTING.md" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for paragraph := range strings.SplitSeq(string(text), "\n\n") {
			if found, instead := badPhrase(strings.ReplaceAll(paragraph, "\n#", "\n")); found != "" {
				t.Errorf("%s: %q; write %s", path, found, instead)
			}
		}
	}
}

// TestWordsFails: every banned phrase is found in its example, also across the end of a line.
func TestWordsFails(t *testing.T) {
	for _, b := range banned {
		if !b.phrase.MatchString(b.example) {
			t.Errorf("%q does not match %q", b.phrase, b.example)
		}
		if found, _ := badPhrase(strings.ReplaceAll(b.example, " ", "\n")); found == "" {
			t.Errorf("%q is not found in lines", b.example)
		}
	}
	if found, _ := badPhrase("Input: an image. Output: BTF."); found != "" {
		t.Errorf("got %q in a good sentence", found)
	}
}

// docPath matches a path of this repository in backticks: one with a known first folder.
var docPath = regexp.MustCompile("`((?:cmd|config|corpus|docs|encoder|golden|scripts|\\.ci)/[A-Za-z0-9_./-]+)`")

// missingPaths lists the paths in a document that do not exist. A path may also be the name of an image in the corpus without its
// extension, or end in /... for the packages in a folder.
func missingPaths(text string, exists func(path string) bool) (missing []string) {
	for _, m := range docPath.FindAllStringSubmatch(text, -1) {
		path := strings.TrimSuffix(m[1], "/...")
		if !exists(path) && !exists(path+".elf") && !slices.Contains(missing, path) {
			missing = append(missing, path)
		}
	}
	return missing
}

// TestDocPaths: the paths that documents name exist.
func TestDocPaths(t *testing.T) {
	exists := func(path string) bool { _, err := os.Stat(path); return err == nil }
	n := 0
	for _, path := range prose(t) {
		if filepath.Ext(path) != ".md" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n += len(docPath.FindAll(text, -1))
		for _, missing := range missingPaths(string(text), exists) {
			t.Errorf("%s names %s, which does not exist", path, missing)
		}
	}
	if n < 100 {
		t.Errorf("found %d paths in the documents, want at least 100", n)
	}
	got := fmt.Sprint(missingPaths("`encoder/gone.go`, `encoder/here.go`, `encoder/...`, other/gone.go", func(path string) bool {
		return path == "encoder/here.go" || path == "encoder"
	}))
	if want := "[encoder/gone.go]"; got != want {
		t.Errorf("got %s missing, want %s", got, want)
	}
}

// TestRoomsInArchitecture: the tables of docs/architecture.md list every package, tools in scripts aside.
func TestRoomsInArchitecture(t *testing.T) {
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "\n## Packages\n")
	if !ok {
		t.Fatal("docs/architecture.md has no section Packages")
	}
	rooms := map[string]bool{}
	for _, s := range sources(t) {
		if !s.test && !strings.HasPrefix(s.room, "scripts/") {
			rooms[s.room] = true
		}
	}
	if len(rooms) < 20 {
		t.Errorf("found %d packages, want more", len(rooms))
	}
	for room := range rooms {
		if !strings.Contains(table, "`"+room+"`") {
			t.Errorf("docs/architecture.md does not list the package %s", room)
		}
	}
}
