package btfbatch_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A rule is a row of docs/rules.md.
type rule struct {
	number, text string
	rooms        []string // files
	fixtures     []string // `ROOM: TestName`, `ROOM: TestName "row"`, or a file of the corpus
}

// A page is the rules, and what in the tree speaks of them.
type page struct {
	rules []rule
	cited map[string][]string // by number: the files whose comments cite it
	loose []string            // comments that cite in another form
}

const ruleNumber = `\b0[0-9]/(?:[AB]\.)?[0-9]+(?:\.[0-9]+)*[a-z]?`

var (
	ruleNumbers = regexp.MustCompile(ruleNumber)
	ruleCited   = regexp.MustCompile(`\b[Rr]ules?\s` + ruleNumber + `(?:(?:,\s|\sand\s|,\sand\s|\sto\s)` + ruleNumber + `)*`)
	ruleAbroad  = regexp.MustCompile(`(?i)\bspecification,?\s(0[0-9]\b|section)|\bthe specification (?:says|does)`)
)

// cite notes the rules that a comment of a file cites.
func (p *page) cite(path, comment string) {
	all := ruleNumbers.FindAllString(comment, -1)
	for _, number := range all {
		if !slices.Contains(p.cited[number], path) {
			p.cited[number] = append(p.cited[number], path)
		}
	}
	well := 0
	for _, list := range ruleCited.FindAllString(comment, -1) {
		well += len(ruleNumbers.FindAllString(list, -1))
	}
	if well != len(all) || ruleAbroad.MatchString(comment) {
		p.loose = append(p.loose, fmt.Sprintf("%s: %.80q cites otherwise than as in \"rule 01/6.5\"", path, comment))
	}
}

// readRules reads the tables of docs/rules.md.
func readRules(text string) (rules []rule, err error) {
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(line, "| 0") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 4 {
			return nil, fmt.Errorf("%.60q has %d cells, want 4", line, len(cells))
		}
		list := func(cell string) []string { return strings.Split(strings.Trim(cell, "`"), "`, `") }
		rules = append(rules, rule{cells[0], cells[1], list(cells[2]), list(cells[3])})
	}
	return rules, nil
}

// check lists what is wrong: numbers without a row, rows that nothing cites, rows without what they name, and rooms that are not
// those whose product code cites the rule.
func (p *page) check(hasFixture func(fixture string) error) (wrong []string) {
	wrong = slices.Clone(p.loose)
	seen := map[string]bool{}
	for _, r := range p.rules {
		if seen[r.number] {
			wrong = append(wrong, r.number+": has two rows")
		}
		seen[r.number] = true
		if len(p.cited[r.number]) == 0 {
			wrong = append(wrong, r.number+": no comment cites it")
		}
		for _, path := range p.cited[r.number] {
			if !strings.HasSuffix(path, "_test.go") && !slices.Contains(r.rooms, path) {
				wrong = append(wrong, fmt.Sprintf("%s: %s cites it and is no room of it", r.number, path))
			}
		}
		if r.text == "" {
			wrong = append(wrong, r.number+": says nothing")
		}
		for _, room := range r.rooms {
			if !slices.Contains(p.cited[r.number], room) {
				wrong = append(wrong, fmt.Sprintf("%s: %s does not cite it", r.number, room))
			}
		}
		for _, fixture := range r.fixtures {
			if err := hasFixture(fixture); err != nil {
				wrong = append(wrong, fmt.Sprintf("%s: %v", r.number, err))
			}
		}
	}
	for _, number := range slices.Sorted(maps.Keys(p.cited)) {
		if !seen[number] {
			wrong = append(wrong, fmt.Sprintf("%s: has no row in docs/rules.md, but %v cite it", number, p.cited[number]))
		}
	}
	return wrong
}

// A testFunc is a test of the tree.
type testFunc struct{ room, name string }

// TestRulesPage: docs/rules.md has every rule that a comment cites and no other, and the fixtures of each are there.
func TestRulesPage(t *testing.T) {
	text, err := os.ReadFile("docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	p := page{cited: map[string][]string{}}
	if p.rules, err = readRules(string(text)); err != nil {
		t.Fatal(err)
	}
	tests := map[testFunc]string{} // to the text of the file
	for _, s := range sources(t) {
		text, err := os.ReadFile(s.path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), s.path, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range f.Comments {
			p.cite(s.path, group.Text())
		}
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && s.test && d.Recv == nil {
				tests[testFunc{s.room, d.Name.Name}] = string(text)
			}
		}
	}
	if len(p.rules) < 80 {
		t.Errorf("got %d rules, want more", len(p.rules))
	}
	exists := func(path string) bool { _, err := os.Stat(path); return err == nil }
	for _, wrong := range p.check(func(fixture string) error {
		room, name, isTest := strings.Cut(fixture, ": ")
		if !isTest {
			if !exists(fixture) || !strings.HasPrefix(fixture, "corpus/") {
				return fmt.Errorf("the corpus has no %q", fixture)
			}
			return nil
		}
		name, row, _ := strings.Cut(name, " ")
		text, ok := tests[testFunc{room, name}]
		if row = strings.Trim(row, `"`); ok && row != "" && !strings.Contains(text, row) {
			ok = inTestdata(t, room, row)
		}
		if !ok {
			return fmt.Errorf("there is no test %q", fixture)
		}
		return nil
	}) {
		t.Error(wrong)
	}
}

// inTestdata tells whether a row of a test is a line of a text file in the room's testdata.
func inTestdata(t *testing.T, room, row string) bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(room, "testdata", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(paths, func(path string) bool {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains("\n"+string(text), "\n"+row+": ")
	})
}

// TestRulesPageFails: each way in which page and tree can disagree is found.
func TestRulesPageFails(t *testing.T) {
	const row = "| 01/6.5 | Arrays nest. | `f.go` | `encoder: TestHere`, `corpus/unusual/here.elf` |\n"
	for _, tt := range []struct{ name, rows, comment, want string }{
		{"all is well", row, "f is rule 01/6.5.", ""},
		{"a list", row + strings.ReplaceAll(row, "6.5", "9.4.1d"), "f is rules 01/6.5 and 01/9.4.1d, see there.", ""},
		{"no row", row, "f is rules 01/6.5 and 01/6.6.", "01/6.6: has no row in docs/rules.md, but [f.go] cite it"},
		{"a part of a row's number", row, "f is rules 01/6.5 and 01/6.", "01/6: has no row in docs/rules.md, but [f.go] cite it"},
		{"not cited", row + strings.ReplaceAll(row, "6.5", "6.6"), "f is rule 01/6.5.", "01/6.6: no comment cites it\n01/6.6: f.go does not cite it"},
		{"a row twice", row + row, "f is rule 01/6.5.", "01/6.5: has two rows"},
		{"another room", strings.ReplaceAll(row, "f.go", "g.go"), "f is rule 01/6.5.", "01/6.5: f.go cites it and is no room of it\n01/6.5: g.go does not cite it"},
		{"no test", strings.ReplaceAll(row, "TestHere", "TestGone"), "f is rule 01/6.5.", "01/6.5: no encoder: TestGone"},
		{"no image", strings.ReplaceAll(row, "here.elf", "gone.elf"), "f is rule 01/6.5.", "01/6.5: no corpus/unusual/gone.elf"},
		{"without the word", row, "f is 01/6.5.", `f.go: "f is 01/6.5." cites otherwise than as in "rule 01/6.5"`},
		{"another document", row, "f is rule 01/6.5, or specification 01, section 6.5.",
			`f.go: "f is rule 01/6.5, or specification 01, section 6.5." cites otherwise than as in "rule 01/6.5"`},
	} {
		p := page{cited: map[string][]string{}}
		var err error
		if p.rules, err = readRules(tt.rows); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		p.cite("f.go", tt.comment)
		got := p.check(func(fixture string) error {
			if strings.Contains(strings.ToLower(fixture), "gone") {
				return fmt.Errorf("no %s", fixture)
			}
			return nil
		})
		if strings.Join(got, "\n") != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	if _, err := readRules("| 01/6.5 | A | b |"); err == nil {
		t.Error("a row without a cell is taken")
	}
}
