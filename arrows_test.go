// Package btfbatch_test keeps the shape of the tree: which room may import which, how long a file may be.
package btfbatch_test

import (
	"bytes"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module   = "github.com/btfbatch/btfbatch/"
	maxLines = 600
)

// arrows lists, for every room, the rooms of ours that its product code imports. A new room enters here in the change that makes it, and
// so does a new arrow; one that is no longer used goes.
var arrows = map[string][]string{
	"encoder/btf":                {},
	"encoder/elf":                {"encoder/input", "encoder/rules"},
	"encoder/feature":            {},
	"encoder/input":              {"encoder/btf"},
	"encoder/input/codecs":       {"encoder/input"},
	"encoder/kernel":             {},
	"encoder/rules":              {},
	"encoder/internal/dwarf":     {"encoder/elf"},
	"encoder/internal/nominal":   {"encoder/btf"},
	"encoder/internal/translate": {"encoder/internal/dwarf", "encoder/btf", "encoder/feature", "encoder/internal/nominal", "encoder/rules"},
	"encoder/internal/funcs":     {"encoder/internal/translate", "encoder/internal/dwarf", "encoder/elf", "encoder/btf", "encoder/feature", "encoder/rules"},
	"encoder/internal/vars":      {"encoder/internal/translate", "encoder/elf", "encoder/btf", "encoder/rules"},
	"encoder/internal/dedup":     {"encoder/btf", "encoder/internal/nominal", "encoder/rules"},
	"encoder/distill":            {"encoder/btf"},
	"encoder/implicit":           {"encoder/btf"},
	"encoder/sorted":             {"encoder/btf"},
	"encoder/verify":             {"encoder/btf", "encoder/feature", "encoder/implicit", "encoder/kernel"},
	"encoder/internal/debugfile": {"encoder/elf", "encoder/input"},
	"encoder": {
		"encoder/btf", "encoder/distill", "encoder/elf", "encoder/feature", "encoder/implicit", "encoder/input", "encoder/internal/debugfile",
		"encoder/internal/dedup", "encoder/internal/dwarf", "encoder/internal/funcs", "encoder/internal/translate",
		"encoder/internal/vars", "encoder/kernel", "encoder/rules",
		"encoder/sorted", "encoder/verify",
	},

	"golden/dump":     {"encoder/btf"},
	"golden/escape":   {},
	"golden/cause":    {"encoder/btf"},
	"golden/show":     {"golden/cause", "golden/escape"},
	"golden/history":  {"golden/cause", "golden/escape"},
	"golden":          {"config/bound", "encoder/btf", "encoder/input", "encoder/input/codecs", "golden/cause", "golden/dense", "golden/dump", "golden/selected"},
	"golden/dense":    {"encoder/btf"},
	"golden/selected": {"encoder/btf", "golden/cause"},
	"golden/columns":  {},
	"golden/report":   {"golden", "golden/cause", "golden/columns", "golden/escape", "golden/measure", "golden/report/exitcode", "golden/show"},

	"golden/measure":           {"encoder/btf", "golden/cause"},
	"golden/report/exitcode":   {},
	"golden/report/schematest": {},
	"golden/report/html":       {"golden", "golden/cause", "golden/escape", "golden/measure", "golden/report"},

	"config":                   {"config/bound", "corpus/store/address", "encoder/feature", "encoder/input", "encoder/kernel", "golden/cause", "golden/selected"},
	"config/bound":             {},
	"config/lock":              {"config/bound", "encoder/input"},
	"corpus":                   {"config", "corpus/source", "encoder/btf", "encoder/elf", "encoder/input", "encoder/input/codecs"},
	"corpus/source":            {"corpus/source/archive", "corpus/source/deb", "corpus/source/rpm", "encoder/input", "encoder/input/codecs"},
	"corpus/source/archive":    {"corpus/source/xz", "encoder/btf"},
	"corpus/source/deb":        {"corpus/source/archive"},
	"corpus/source/rpm":        {"corpus/source/archive"},
	"corpus/source/xz":         {},
	"corpus/retry":             {},
	"corpus/source/http":       {"corpus/cache", "corpus/retry", "corpus/source", "encoder/input"},
	"corpus/source/apt":        {"corpus/source", "corpus/source/http"},
	"corpus/source/debuginfod": {"corpus/source", "corpus/source/http"},
	"corpus/cache":             {"encoder/input"},
	"corpus/store":             {"corpus/retry"},
	"corpus/store/address":     {},
	"corpus/store/folder":      {"corpus/store", "corpus/store/address"},
	"corpus/store/oci":         {"corpus/store", "corpus/store/address"},
	"corpus/store/results":     {"corpus/cache", "corpus/store", "corpus/store/oci"},
	"corpus/store/s3":          {"corpus/store", "corpus/store/address"},
	"corpus/synth":             {},
	"corpus/peer":              {},

	"scripts/bootcheck":       {"encoder/btf"},
	"scripts/concurrent":      {},
	"scripts/bootcheck/guest": {"encoder/btf"},
	"scripts/mutate":          {},
	"scripts/release":         {},

	"cmd/btfbatch": {
		"cmd/internal/batch", "cmd/internal/btffile", "cmd/internal/btffile/sides", "cmd/internal/claim", "cmd/internal/console", "cmd/internal/costs", "cmd/internal/draft", "cmd/internal/earlydump", "cmd/internal/embed", "cmd/internal/evidence",
		"cmd/internal/explain", "cmd/internal/goldens", "cmd/internal/interrupt", "cmd/internal/judge", "cmd/internal/locking", "cmd/internal/manual", "cmd/internal/paths", "cmd/internal/publish",
		"cmd/internal/reports", "cmd/internal/settings", "cmd/internal/shard", "cmd/internal/standin", "cmd/internal/standin/atonce", "cmd/internal/stream", "cmd/internal/submit", "config", "config/lock", "corpus", "corpus/cache", "corpus/retry", "corpus/source", "corpus/source/apt", "corpus/source/debuginfod", "corpus/source/http",
		"corpus/store", "corpus/store/address", "corpus/store/folder", "corpus/store/oci", "corpus/store/results", "corpus/store/s3", "encoder", "encoder/btf", "encoder/elf",
		"encoder/feature", "encoder/input", "encoder/input/codecs", "encoder/kernel", "encoder/verify", "golden", "golden/cause", "golden/columns", "golden/dump", "golden/escape",
		"golden/history", "golden/report", "golden/report/exitcode", "golden/selected", "golden/show",
	},
	"cmd/internal/batch": {
		"cmd/internal/btffile", "cmd/internal/cost", "cmd/internal/embed", "cmd/internal/evidence", "cmd/internal/goldens", "cmd/internal/paths", "cmd/internal/publish", "cmd/internal/schedule", "cmd/internal/settings", "cmd/internal/settings/ofimage", "config",
		"corpus", "corpus/cache", "corpus/source", "corpus/store", "corpus/store/address", "encoder", "encoder/btf", "encoder/elf", "encoder/feature", "encoder/input", "encoder/verify", "golden", "golden/cause", "golden/columns",
		"golden/dump", "golden/escape", "golden/measure", "golden/report", "golden/selected",
	},
	"cmd/internal/btffile":       {"encoder/btf", "encoder/distill", "encoder/elf", "encoder/input"},
	"cmd/internal/btffile/sides": {"cmd/internal/btffile", "encoder/btf", "encoder/input", "golden"},
	"cmd/internal/claim":         {"cmd/internal/paths"},
	"cmd/internal/schedule":      {},
	"cmd/internal/goldens": {
		"cmd/internal/paths", "cmd/internal/publish", "config", "corpus", "encoder/btf", "encoder/input", "golden", "golden/cause",
	},
	"cmd/internal/console": {"cmd/internal/timings", "config", "encoder", "golden", "golden/columns", "golden/escape", "golden/report"},
	"cmd/internal/draft":   {"config", "corpus", "corpus/source", "encoder/input"},
	"cmd/internal/earlydump": {
		"cmd/internal/btffile", "cmd/internal/interrupt", "cmd/internal/standin/atonce", "encoder/input", "golden/dump", "golden/escape",
		"golden/report/exitcode",
	},
	"cmd/internal/costs": {"encoder", "encoder/btf", "golden/escape"},
	"cmd/internal/embed": {
		"cmd/internal/btffile", "cmd/internal/publish", "cmd/internal/settings", "config", "corpus", "encoder", "encoder/btf",
		"encoder/elf", "encoder/input", "encoder/verify", "golden/report",
	},
	"cmd/internal/explain": {"encoder", "encoder/elf", "golden/escape"},
	"cmd/internal/judge":   {"cmd/internal/btffile", "encoder/btf", "encoder/verify"},
	"cmd/internal/pahole": {
		"cmd/internal/btffile", "cmd/internal/paths", "cmd/internal/publish", "cmd/internal/settings", "cmd/internal/standin/atonce", "encoder", "encoder/btf",
		"encoder/distill", "encoder/elf", "encoder/feature", "encoder/input", "encoder/rules", "encoder/verify", "golden/escape",
		"golden/report/exitcode",
	},
	"cmd/internal/evidence":         {"config/lock", "encoder", "encoder/btf", "golden/escape", "golden/measure", "golden/report"},
	"cmd/internal/locking":          {"config", "config/lock", "corpus", "corpus/cache", "corpus/source", "encoder/input", "golden/escape"},
	"cmd/internal/manual":           {},
	"cmd/internal/paths":            {},
	"cmd/internal/publish":          {"cmd/internal/paths"},
	"cmd/internal/reports":          {"cmd/internal/paths", "cmd/internal/publish", "encoder/input", "golden/escape", "golden/report", "golden/report/html"},
	"cmd/internal/interrupt":        {"cmd/internal/publish", "golden/report/exitcode"},
	"cmd/internal/standin":          {"cmd/internal/interrupt", "cmd/internal/pahole", "cmd/internal/standin/atonce", "cmd/internal/standin/naps", "cmd/internal/standin/single", "cmd/internal/stream", "golden/escape", "golden/report/exitcode"},
	"cmd/internal/standin/atonce":   {},
	"cmd/internal/standin/naps":     {"cmd/internal/standin/atonce"},
	"cmd/internal/standin/single":   {"cmd/internal/standin/atonce"},
	"cmd/internal/stream":           {},
	"cmd/internal/settings/ofimage": {"cmd/internal/settings", "config", "encoder"},
	"cmd/internal/settings":         {"encoder", "encoder/feature", "encoder/kernel", "encoder/rules", "encoder/verify"},
	"cmd/internal/cost":             {"corpus/source"},
	"cmd/internal/shard":            {"cmd/internal/cost", "config", "corpus", "corpus/store/address", "encoder/input", "golden/escape", "golden/report"},
	"cmd/internal/submit":           {"cmd/internal/publish", "cmd/internal/reports", "golden/escape", "golden/report", "golden/report/exitcode"},
	"cmd/internal/timings":          {"encoder"},
}

// testRooms are rooms that only tests import.
var testRooms = []string{"corpus/synth", "corpus/peer", "golden/report/schematest"}

// noRooms are names that gather what belongs elsewhere.
var noRooms = []string{"util", "utils", "common", "types", "helpers", "misc"}

// A source is one Go file.
type source struct {
	path    string // from the root, with slashes
	room    string
	test    bool
	imports []string
	lines   int
}

// sources parses every Go file of the tree; folders that hold no part of it (testdata, and those with a leading dot,
// underscore or zz_) are left out.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != "." && (name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || strings.HasPrefix(name, "zz_")) {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && path != "." { // a module of its own
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ImportsOnly)
		if err != nil {
			return err
		}
		s := source{path: filepath.ToSlash(path), room: filepath.ToSlash(filepath.Dir(path)), test: strings.HasSuffix(name, "_test.go"),
			lines: bytes.Count(text, []byte("\n"))}
		for _, i := range f.Imports {
			to, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, to)
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestArrows(t *testing.T) {
	used := map[string]bool{} // "room imports room"
	rooms := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		row, ok := arrows[s.room]
		if !ok {
			t.Errorf("%s: room %s is not in the table of arrows", s.path, s.room)
			continue
		}
		rooms[s.room] = true
		for _, i := range s.imports {
			to, ours := strings.CutPrefix(i, module)
			if !ours {
				continue
			}
			used[s.room+" imports "+to] = true
			if !slices.Contains(row, to) {
				t.Errorf("%s: %s must not import %s", s.path, s.room, to)
			}
			if slices.Contains(testRooms, to) {
				t.Errorf("%s: %s is for tests", s.path, to)
			}
		}
	}
	for room, row := range arrows {
		if !rooms[room] {
			t.Errorf("the table has room %s, which has no code", room)
			continue
		}
		for _, to := range row {
			if !used[room+" imports "+to] {
				t.Errorf("the table lets %s import %s, which it does not", room, to)
			}
		}
	}
}

func TestRoomNames(t *testing.T) {
	for _, s := range sources(t) {
		for part := range strings.SplitSeq(s.room, "/") {
			if slices.Contains(noRooms, part) {
				t.Errorf("%s: room %s says nothing of what is in it", s.path, part)
			}
		}
	}
}

// networked are the rooms that use the network: one fetches images, the others publish. corpus/retry only knows what answers say.
var networked = []string{"corpus/retry", "corpus/source/http", "corpus/store", "corpus/store/oci", "corpus/store/s3"}

// TestOneNetwork: only few rooms use the network.
func TestOneNetwork(t *testing.T) {
	for _, s := range sources(t) {
		for _, i := range s.imports {
			if !s.test && !slices.Contains(networked, s.room) && (i == "net" || strings.HasPrefix(i, "net/") && i != "net/url") {
				t.Errorf("%s imports %s: only %s use the network", s.path, i, strings.Join(networked, ", "))
			}
		}
	}
}

// TestNoStandardDWARF: the standard reader allocates per DIE. It serves as an oracle in tests, and builds test images.
func TestNoStandardDWARF(t *testing.T) {
	for _, s := range sources(t) {
		if !s.test && !slices.Contains(testRooms, s.room) && slices.Contains(s.imports, "debug/dwarf") {
			t.Errorf("%s: product code must not import debug/dwarf", s.path)
		}
	}
}

func TestFileLength(t *testing.T) {
	for _, s := range sources(t) {
		if s.lines > maxLines {
			t.Errorf("%s: got %d lines, want at most %d", s.path, s.lines, maxLines)
		}
	}
}
