package batch

import (
	"context"
	stdelf "debug/elf"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/cache"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/golden/report"
)

// TestDebugLink: an image whose separate debug file is absent, or has no DWARF, fails and says which file it wants, and nothing is remembered: the file may
// be there in the next run. That an image has neither DWARF nor a link is remembered.
func TestDebugLink(t *testing.T) {
	debug, err := os.ReadFile(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	plain := synth.Target{Class: stdelf.ELFCLASS64, Order: binary.LittleEndian, Machine: stdelf.EM_X86_64, Type: stdelf.ET_EXEC, DWARF: 5}
	none := synth.New(plain).Bytes()
	linked := func(to []byte) []byte {
		b := synth.New(plain)
		b.Section(".gnu_debuglink", stdelf.SHT_PROGBITS, 0, 0, binary.LittleEndian.AppendUint32([]byte("b.debug\x00"), crc32.ChecksumIEEE(to)))
		return b.Bytes()
	}
	for _, tt := range []struct {
		name          string
		image, beside []byte
		want          string // the error; empty if there is none
		kept          int    // entries in the cache
	}{
		{"missing", linked(debug), nil, "(put its debug file b.debug beside it, or give the file as it was before it was stripped): debug file not found: looked for ", 0},
		{"empty", linked(none), none, "b.debug: no DWARF: .debug_info is missing or empty", 0},
		{"there", linked(debug), debug, "", 0},
		{"no link", none, debug, "(give the file as it was before it was stripped; distributions have it in a debug package, -dbg, -dbgsym or -debuginfo)", 1},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "b.elf")
		write := func(name string, data []byte) {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("b.elf", tt.image)
		if tt.beside != nil {
			write("b.debug", tt.beside)
		}
		store, err := cache.Open(filepath.Join(dir, "cache"))
		if err != nil {
			t.Fatal(err)
		}
		items := manifest(t, fmt.Sprintf("  - {name: b, path: %s, kind: any, sha256: %s}\n", path, sumOf(tt.image)))
		row := Run(context.Background(), Jobs(items, ""), Options{Encoding: Encoding{Workers: 1}, Cache: &Cache{Cache: store, Tool: "tool"}}).Rows()[0]
		if tt.want == "" && row.Status != report.OK || tt.want != "" && !strings.Contains(row.Error, tt.want) {
			t.Errorf("%s: got %s, %q, want %q", tt.name, row.Status, row.Error, tt.want)
		}
		if strings.Contains(tt.want, "distributions") && strings.Contains(row.Error, "beside") {
			t.Errorf("%s: got %q", tt.name, row.Error)
		}
		kept, err := filepath.Glob(filepath.Join(store.Dir(), "entries", "*", "*"))
		if err != nil || len(kept) != tt.kept {
			t.Errorf("%s: got %d entries in the cache, want %d", tt.name, len(kept), tt.kept)
		}
	}
}

// TestForgottenAbsence: that an image has no DWARF is forgotten once it was encoded.
func TestForgottenAbsence(t *testing.T) {
	store, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := &batch{opt: Options{Cache: &Cache{Cache: store, Tool: "tool"}}}
	x := &target{Job: &Job{File: corpus.FileAt("b.elf", corpus.Pins{})}, inputSum: strings.Repeat("a", 64)}
	for i, tt := range []struct {
		err   error
		known bool
	}{
		{encoder.ErrNoDWARF, true}, {nil, false}, {fmt.Errorf("%w: %w", encoder.ErrNoDWARF, encoder.ErrNoDebugFile), false},
		{encoder.ErrNoDWARF, true}, {encoder.ErrNoTypes, true}, {nil, false}, {nil, false},
	} {
		b.keepAbsent(x, tt.err)
		if got := b.knownAbsent(x) != nil; got != tt.known {
			t.Errorf("step %d, %v: known: got %t, want %t", i, tt.err, got, tt.known)
		}
	}
}
