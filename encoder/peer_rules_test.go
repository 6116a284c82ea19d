package encoder_test

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// shown lists images of the corpus whose BTF in the profile pahole changes without a rule. Tests of other packages name the rule in the row that
// shows it.
var shown = []struct {
	rule    rules.Set
	image   string // path in corpus
	exclude string // a language to leave out
	with    []feature.Feature
}{
	{rule: rules.OtherSymbols, image: "unusual/nosymtab.elf"},
	{rule: rules.FollowsSignatures, image: "unusual/types5.elf"},
	{rule: rules.FollowsSignatures, image: "unusual/stub5.elf"},
	{rule: rules.LeavesOutAll, image: "unusual/rust.elf", exclude: "c11", with: []feature.Feature{feature.ForceCUMerging}},
	{rule: rules.ReadsSplit, image: "unusual/split4.elf"},
	{rule: rules.ReadsSplit, image: "unusual/package5.elf"},

	{rule: rules.AsPeer, image: "images/gcc12-mips64el-dwarf5-module.ko"},
	{rule: rules.AsPeer, image: "images/gcc12-hppa-dwarf5-module.ko"},
	{rule: rules.PeerKinds, image: "images/gcc12-sh4-dwarf5-module.ko"},
	{rule: rules.Relocate, image: "images/gcc12-mips-dwarf5-twice.ko"},
	{rule: rules.PeerSkips, image: "unusual/groups4.elf"},
	{rule: rules.PeerSkips, image: "unusual/groups5.elf"},
	{rule: rules.PeerWaiting, image: "unusual/waiting-hidden.elf"},

	{rule: rules.OddInteger, image: "unusual/bitint.elf"},
	{rule: rules.Foreign, image: "unusual/atomic.elf"},
	{rule: rules.Foreign, image: "unusual/cxx.elf"},
	{rule: rules.LeaveOut, image: "unusual/empty.elf"},
	{rule: rules.LostType, image: "unusual/ptrauth.elf"},
	{rule: rules.Unspecified, image: "unusual/nullptr.elf"},
	{rule: rules.Unspecified, image: "unusual/nullptr-clang.elf"},
	{rule: rules.NamelessDecl, image: "unusual/reduced.elf"},
	{rule: rules.OddFloat, image: "unusual/complex.elf"},
	{rule: rules.UnseenChain, image: "unusual/annot.elf", with: []feature.Feature{feature.GlobalVar}},
	{rule: rules.KeepsNames, image: "unusual/dollar.elf"},
	{rule: rules.KeepsNames, image: "unusual/rust.elf"},
	{rule: rules.ConfuseTypeUnits, image: "unusual/types4.elf"},
	{rule: rules.ConfuseTypeUnits, image: "unusual/stub4.elf"},
	{rule: rules.EmptyStub, image: "unusual/types5.elf"},
	{rule: rules.KeepsUnsized, image: "unusual/nullptr.elf"},
	{rule: rules.UnknownTag, image: "unusual/ptrauth.elf"},
	{rule: rules.NoteUnlessQuiet, image: "unusual/rust.elf"},

	{rule: rules.PeerConventions, image: "images/clang19-riscv64-dwarf4-based.elf"},
	{rule: rules.PeerConventions, image: "images/clang19-ppc64le-dwarf5-based.elf"},
	{rule: rules.PeerConventions, image: "images/gcc12-arm-dwarf5-based.elf"},
	{rule: rules.FlagsAtSymbol, image: "unusual/kfuncs.elf"},

	{rule: rules.JudgePeer, image: "images/gcc12-x86_64-dwarf5-zerobased.elf"},
	{rule: rules.PeerEntries, image: "images/gcc12-x86_64-dwarf5-weakpair.elf", with: []feature.Feature{feature.GlobalVar}},
}

// TestRulesShown: with all rules an image gives the BTF of pahole or an error. Without the rule that it shows, it gives something else.
func TestRulesShown(t *testing.T) {
	for _, row := range shown {
		path := filepath.Join("..", "corpus", row.image)
		encode := func(off rules.Set) (wire, warnings []byte) {
			f, err := elf.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			opt := encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, RulesOff: off, Features: feature.Default().With(row.with...)}, DebugRoots: []string{unusualFolder}}
			if row.exclude != "" {
				opt.LangExclude, _ = encoder.ParseLanguages([]string{row.exclude})
			}
			res, err := opt.Encode(context.Background(), f)
			if err != nil {
				return nil, []byte(err.Error())
			}
			return res.Object.AppendWire(nil), fmt.Append(nil, res.Warnings)
		}
		wire, warnings := encode(0)
		golden, err := os.ReadFile(strings.TrimSuffix(path, filepath.Ext(path)) + ".btf.golden")
		if row.with == nil && (err == nil) != (wire != nil) || err == nil && row.with == nil && !bytes.Equal(wire, golden) {
			t.Errorf("%s: with all rules it gives something else than the peer (%s)", row.image, warnings)
		}
		if without, others := encode(row.rule); bytes.Equal(without, wire) && bytes.Equal(others, warnings) {
			t.Errorf("%s: without rule %#x of what it shows: got the same", row.image, row.rule)
		}
	}
}

// notSwitched are the rules of a peer.go that depend on an option of pahole, with the tests that show them.
var notSwitched = map[string]string{"plainFields": "TestCallsShowRules"}

// TestPeerRules: package rules has exactly the functions and tables of peer.go files whose comments cite a rule. Each rule is used in the product,
// and some test names it. That test fails if the rule has no effect.
func TestPeerRules(t *testing.T) {
	named, asked, tested := map[string]bool{}, map[string]bool{}, map[string]bool{}
	declared := declaredRules(t)
	for _, glob := range []string{"*.go", "*/*.go", "internal/*/*.go", "../cmd/internal/pahole/*.go"} {
		paths, err := filepath.Glob(glob)
		if err != nil || len(paths) == 0 {
			t.Fatal(glob, err)
		}
		for _, path := range paths {
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			mentions := asked
			if strings.HasSuffix(path, "_test.go") {
				mentions = tested
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == "rules" {
						mentions[s.Sel.Name] = true
					}
				}
				return true
			})
			if filepath.Base(path) != "peer.go" {
				continue
			}
			for _, name := range rulesOf(f) {
				rule := strings.ToUpper(name[:1]) + name[1:]
				named[rule] = true
				if slices.Contains(declared, rule) == (notSwitched[name] != "") {
					t.Errorf("%s: %s is a rule that nobody can switch off: package rules has no %s", path, name, rule)
				}
			}
		}
	}
	for _, rule := range declared {
		for _, is := range []struct {
			so   bool
			what string
		}{{named[rule], "is no function or table of a peer.go"}, {asked[rule], "is never asked for"}, {tested[rule], "is shown by no test"}} {
			if !is.so {
				t.Errorf("rule %s %s", rule, is.what)
			}
		}
	}
}

// declaredRules returns the names of the rules in package rules.
func declaredRules(t *testing.T) (names []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("rules", "rules.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	d := f.Decls[slices.IndexFunc(f.Decls, func(d ast.Decl) bool {
		g, ok := d.(*ast.GenDecl)
		return ok && g.Tok == token.CONST
	})].(*ast.GenDecl)
	for _, s := range d.Specs {
		if name := s.(*ast.ValueSpec).Names[0].Name; name != "end" {
			names = append(names, name)
		}
	}
	if n := len(slices.Collect(rules.Pahole.Each)); n != len(names) || n < 50 {
		t.Fatalf("got %d names of %d rules", len(names), n)
	}
	return names
}

// rulesOf returns the declarations of a peer.go whose comment says that they are a rule.
func rulesOf(f *ast.File) (names []string) {
	add := func(doc *ast.CommentGroup, name string) {
		if text := doc.Text(); strings.HasPrefix(text, name+" is rule ") || strings.HasPrefix(text, name+" is rules ") {
			names = append(names, name)
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			add(d.Doc, d.Name.Name)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok {
					add(d.Doc, v.Names[0].Name)
				}
			}
		}
	}
	return names
}
