package encoder_test

import (
	"bytes"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// peerRules says for every rule of a room's peer.go what shows that the peer has it: an image of the corpus ("images/NAME", of
// which the profiles make different things), or a fixture of a test ("ROOM/FILE: NAME").
var peerRules = map[string][]string{
	"encoder.followsSignatures": {"odd/types5", "odd/stub5"},
	"encoder.leavesOutAll":      {"odd_test.go: {\"rust.elf\", \"c11\"}"},
	"encoder.namesCount":        {"merged_test.go: first.c without languages"},
	"encoder.readsSplit":        {"odd/split4", "odd/package5"},
	"encoder.otherSymbols":      {"odd/nosymtab"},

	"elf.AsPeer":      {"images/gcc12-mips64el-dwarf5-module.ko", "images/gcc12-hppa-dwarf5-module.ko"},
	"elf.peerKinds":   {"images/gcc12-sh4-dwarf5-module.ko"},
	"elf.peerSkips":   {"odd/groups4", "odd/groups5"},
	"elf.peerWaiting": {"odd/waiting-hidden"},
	"elf.relocate":    {"images/gcc12-mips-dwarf5-twice.ko"},

	"translate.completed":          {"vars/rules_test.go: 1: an array whose bound is in the definition only vanishes"},
	"translate.confuseTypeUnits":   {"odd/types4", "odd/stub4"},
	"translate.emptyDeclTag":       {"translate/mend_test.go: declaration tag without a text"},
	"translate.emptyTag":           {"translate/mend_test.go: type tag without a text"},
	"translate.foreign":            {"odd/atomic", "odd/cxx"},
	"translate.identifier":         {"odd/rust", "odd/dollar"},
	"translate.leaveOut":           {"odd/empty"},
	"translate.lowerBound":         {"translate/mend_test.go: lower bounds"},
	"translate.lostType":           {"odd/ptrauth"},
	"translate.oddInteger":         {"odd/bitint"},
	"translate.unseenChain":        {"odd/annot"},
	"translate.unspecified":        {"odd/nullptr", "odd/nullptr-clang"},
	"translate.namelessBase":       {"translate/mend_test.go: base type without a name"},
	"translate.namelessDecl":       {"translate/mend_test.go: declaration without a name"},
	"translate.namelessEnumerator": {"translate/mend_test.go: enumerator without a name"},
	"translate.namelessTypedef":    {"translate/mend_test.go: typedef without a name"},
	"translate.oddFloat":           {"odd/complex"},

	"funcs.address":            {"funcs/match_rules_test.go: optimized parameters in a module"},
	"funcs.flagsAtSymbol":      {"odd/kfuncs"},
	"funcs.identifier":         {"odd/dollar"},
	"funcs.lastIDs":            {"funcs/kfuncs_rules_test.go: in several sections of a module"},
	"funcs.lastNeverAmbiguous": {"funcs/symbols_rules_test.go: the last name is never ambiguous"},
	"funcs.lostInMemory":       {"funcs/params_rules_test.go: in memory it counts as optimized away"},
	"funcs.memoryUse":          {"funcs/params_rules_test.go: in memory it counts as one", "funcs/params_rules_test.go: in memory it takes no register"},
	"funcs.namedAfterMember":   {"funcs/reduce_rules_test.go: one member, and the struct takes its registers all the same"},
	"funcs.peerAmbiguous":      {"funcs/symbols_rules_test.go: a first address of 0 counts as unset"},
	"funcs.peerConventions": {"images/clang19-riscv64-dwarf4-based.elf", "images/clang19-ppc64le-dwarf5-based.elf",
		"images/gcc12-arm-dwarf5-based.elf"},
	"funcs.undefinedCounts": {"funcs/symbols_rules_test.go: kinds of symbols"},

	"vars.judgePeer":          {"images/gcc12-x86_64-dwarf5-zerobased.elf"},
	"vars.notVariables":       {"vars/rules_test.go: 7: prefixes"},
	"vars.peerEntries":        {"images/gcc12-x86_64-dwarf5-weakpair.elf"},
	"vars.peerHoldsVariables": {"vars/rules_test.go: a variable in a note lands in a debug section"},
	"vars.peerOrder":          {"vars/rules_test.go: sorted by offset, stable; ends where its last variable does"},
	"vars.peerWants":          {"vars/rules_test.go: every section"},
	"vars.voidIsSizeZero":     {"vars/rules_test.go: 10: without force"},

	"dedup.baseTypedefSignature": {"dedup/run_test.go: but for typedefs, as the peer has it"},
}

// inBothProfiles are rules of the peer that the default profile follows as well, with fixtures of the peer.
var inBothProfiles = map[string]string{
	"dedup.identicalArrays": "dedup/run_test.go: identical ignores what arrays hold",
	"funcs.peerRuns":        "../cmd/internal/pahole/testdata/calls.txt: twice: --btf_features=default",
	"translate.plainFields": "../cmd/internal/pahole/testdata/calls.txt: fields: --btf_features=default",
	"funcs.maxName":         "funcs/symbols_rules_test.go: longer ones are cut",
	"translate.fakeInt":     "translate/types_test.go: __SANITIZED_FAKE_INT__",
	"vars.maxVarName":       "vars/rules_test.go: 9: names",
	"vars.validName":        "vars/rules_test.go: 9: names",
}

// rulesOf are the declarations of a room's peer.go whose comment names a rule.
func rulesOf(t *testing.T, path string) (rules []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	add := func(doc *ast.CommentGroup, name string) {
		if text := doc.Text(); strings.HasPrefix(text, name+" is rule ") || strings.HasPrefix(text, name+" is rules ") {
			rules = append(rules, f.Name.Name+"."+name)
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
	return rules
}

// TestPeerRules: each rule of each room's peer.go has a fixture here, and each fixture is there.
func TestPeerRules(t *testing.T) {
	rooms, err := filepath.Glob("*/peer.go")
	if err != nil || len(rooms) < 5 {
		t.Fatalf("got %d rooms with peer.go (%v), want more", len(rooms), err)
	}
	var found []string
	for _, path := range append(rooms, "peer.go") {
		found = append(found, rulesOf(t, path)...)
	}
	for _, rule := range found {
		if (peerRules[rule] == nil) == (inBothProfiles[rule] == "") {
			t.Errorf("%s: it must be in one of the tables peerRules and inBothProfiles", rule)
		}
	}
	for rule, fixtures := range peerRules {
		if !slices.Contains(found, rule) {
			t.Errorf("%s: no such rule", rule)
		}
		for _, fixture := range fixtures {
			checkFixture(t, rule, fixture)
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(inBothProfiles)) {
		if !slices.Contains(found, rule) {
			t.Errorf("%s: no such rule", rule)
		}
		checkFixture(t, rule, inBothProfiles[rule])
	}
}

// checkFixture: a fixture of a test is where it is said to be; of an image of the corpus the profiles make different things.
func checkFixture(t *testing.T, rule, fixture string) {
	t.Helper()
	if file, name, ok := strings.Cut(fixture, ": "); ok {
		if !bytes.Contains(read(t, file), []byte(name)) {
			t.Errorf("%s: %s has no fixture %q", rule, file, name)
		}
		return
	}
	path := filepath.Join("..", "corpus", fixture)
	if filepath.Ext(path) == "" {
		path += ".elf"
	}
	encode := func(profile encoder.Profile) (wire []byte, err error) {
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		opt := encoder.Options{Profile: profile, Features: feature.Default().With(feature.GlobalVar), DebugRoots: []string{oddFolder}}
		res, err := encoder.Encode(context.Background(), f, opt)
		if err != nil {
			return nil, err
		}
		return res.Object.AppendWire(nil), nil
	}
	peer, _ := encode(encoder.Pahole) // it may fail where the default does not
	right, err := encode(encoder.Default)
	if err != nil {
		t.Errorf("%s: %s: %v", rule, fixture, err)
	}
	if bytes.Equal(peer, right) {
		t.Errorf("%s: %s: both profiles give the same", rule, fixture)
	}
}
