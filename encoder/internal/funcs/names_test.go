package funcs

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	image "github.com/btfbatch/btfbatch/encoder/elf"
	dies "github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// tableOf is the table of an image with functions of these names.
func tableOf(t testing.TB, names []string) *Table {
	t.Helper()
	b := synth.New(synth.Target{})
	text := b.Text(".text", 0x1000, 16*len(names))
	for i, name := range names {
		b.Symbol(name, text.At(16*uint64(i)), 16, elf.STT_FUNC)
	}
	b.CU("a.c", synth.C11)
	data := b.Bytes()
	f, err := image.NewFile(bytes.NewReader(data), uint64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	table := NewTable(f, syms, Options{Peer: rules.Pahole})
	if err := syms.Each(func(_ int, s *image.Symbol) { table.Add(s) }); err != nil {
		t.Fatal(err)
	}
	table.Finish()
	return table
}

// names returns n different names. Many of them share a beginning that is longer than the sort compares at a time.
func names(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	heads := []string{"", "_", "__x64_sys_", "perf_trace_", "trace_event_raw_event_", strings.Repeat("long_", 7), strings.Repeat("z", 300), "\xff\x80"}
	var list []string
	for i := range n {
		name := heads[r.IntN(len(heads))]
		for range r.IntN(12) {
			name += string(rune('a' + r.IntN(3)))
		}
		list = append(list, fmt.Sprintf("%s%d", name, i))
	}
	return append(list, heads[1:]...)
}

func TestSortByName(t *testing.T) {
	want := names(3000)
	withSuffixes := slices.Clone(want)
	for i := range withSuffixes {
		if i%3 == 0 {
			withSuffixes[i] += ".constprop.0"
		}
	}
	table := tableOf(t, withSuffixes)
	if table.Len() != len(want) {
		t.Fatalf("got %d entries, want %d", table.Len(), len(want))
	}
	entries := make([]int32, table.Len())
	for i := range entries {
		entries[i] = int32(i)
	}
	table.sortByName(entries)
	slices.Sort(want)
	for i, e := range entries {
		if got := string(table.Base(e)); got != want[i] {
			t.Fatalf("place %d: got %q, want %q", i, got, want[i])
		}
	}
	if got := string(table.Base(table.last)); got != want[len(want)-1] {
		t.Errorf("the last name: got %q, want %q", got, want[len(want)-1])
	}
}

func TestIndex(t *testing.T) {
	list := names(3000)
	table := tableOf(t, append(list, "f.constprop.0", "f", "g.isra.0.cold", "only.isra.0", ".dot"))
	for i, name := range list {
		if got := table.Index([]byte(name)); got != int32(i) {
			t.Errorf("%q: got entry %d, want %d", name, got, i)
		}
	}
	n := int32(len(list))
	for _, tt := range []struct {
		name string
		want int32
	}{{"f", n}, {"f.constprop.0", -1}, {"g", -1}, {"g.isra.0.cold", -1}, {"only", n + 1}, {"onl", -1}, {"only.", -1}, {"", n + 2}, {"absent", -1}} {
		if got := table.Index([]byte(tt.name)); got != tt.want {
			t.Errorf("%q: got entry %d, want %d", tt.name, got, tt.want)
		}
	}
	var some [][]byte
	for _, name := range slices.Concat(list[len(list)-translate.AtOnce+4:], []string{"f", "absent", "f.constprop.0", ""}) {
		some = append(some, []byte(name))
	}
	numbers := make([]int32, len(some))
	for range 2 {
		table.IndexAll(some, numbers)
		for i, name := range some {
			if want := table.Index(name); numbers[i] != want {
				t.Errorf("%q among others: got entry %d, want %d", name, numbers[i], want)
			}
		}
		some, numbers = some[:3], numbers[:3]
	}
	if got := testing.AllocsPerRun(100, func() { table.IndexAll(some, numbers) }); got != 0 {
		t.Errorf("got %v allocations per batch, want none", got)
	}
	if got := testing.AllocsPerRun(100, func() { table.Index([]byte("absent")) }); got != 0 {
		t.Errorf("got %v allocations per question, want none", got)
	}
}

func BenchmarkSortByName(b *testing.B) {
	table := tableOf(b, names(50000))
	entries := make([]int32, table.Len())
	b.ReportAllocs()
	for b.Loop() {
		for i := range entries {
			entries[i] = int32(i)
		}
		table.sortByName(entries)
	}
}

// together calls do for each number below n.
func together(n int, do func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	wg.Wait()
}

// TestZeroedStrings: a block of zeros in .debug_str is an error; single empty strings are not.
func TestZeroedStrings(t *testing.T) {
	for zeros, fails := range map[int]bool{0: false, 1: false, 8: false, 31: false, 60: true, 500: true} {
		for _, parts := range []int{1, 2, 7} {
			b := synth.New(synth.Target{})
			cu := b.CU("a.c", synth.C11)
			for i := range 100 {
				cu.DIE(dwarf.TagVariable, synth.Str(dwarf.AttrName, synth.FormStrp, fmt.Sprintf("variable%d", i)))
			}
			b.Patch(".debug_str", 101, make([]byte, zeros)...)
			data := b.Bytes()
			f, err := image.NewFile(bytes.NewReader(data), uint64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			d, err := dies.Open(f)
			if err != nil {
				t.Fatal(err)
			}
			if err := tableOf(t, names(10)).IndexStrings(&d.Strings, parts, together); (err != nil) != fails {
				t.Errorf("%d zeros, %d parts: got error %v", zeros, parts, err)
			}
		}
	}
}

// TestIndexStrings: Lookup and Index agree for strings of .debug_str. Tails of strings, and strings of other sections, are not
// indexed.
func TestIndexStrings(t *testing.T) {
	for _, prefix := range []string{"", "perf_trace_"} {
		for _, parts := range []int{1, 2, 7} {
			t.Run(fmt.Sprint(prefix, parts), func(t *testing.T) { testIndexStrings(t, prefix, parts) })
		}
	}
}

// testIndexStrings is TestIndexStrings where strings are cut to a prefix.
func testIndexStrings(t *testing.T, prefix string, parts int) {
	list := names(500)
	table := tableOf(t, append(list, "tail", "f.isra.0"))
	b := synth.New(synth.Target{})
	cu := b.CU("a.c", synth.C11)
	strs := append(slices.Clone(list), "no function", "f", "f.isra.0", "is a tail")
	for _, s := range strs {
		cu.DIE(dwarf.TagVariable, synth.Str(dwarf.AttrName, synth.FormStrp, s))
	}
	data := b.Bytes()
	f, err := image.NewFile(bytes.NewReader(data), uint64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	d, err := dies.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	d.Strings.Cut(prefix)
	if err := table.IndexStrings(&d.Strings, parts, together); err != nil {
		t.Fatal(err)
	}
	keys, entries := make([]dies.StrKey, 3), make([]int32, 3)
	lookup := func(s *dies.Strings, key dies.StrKey) int32 { // the key is the middle one of three
		keys[1] = key
		entries[1] = 0
		table.Lookup(s, keys, entries)
		return entries[1]
	}
	seen := 0
	d.Strings.Each(0, 1<<32, func(key dies.StrKey, text []byte) {
		seen++
		if got := d.Strings.Append(nil, key); !bytes.Equal(got, text) {
			t.Errorf("%q: the key is of %q", text, got)
		}
		if got := lookup(&d.Strings, key); got != table.Index(text) {
			t.Errorf("%q: got entry %d, want %d", text, got, table.Index(text))
		}
		if len(text) > 0 {
			if got := lookup(&d.Strings, key+1); got != translate.NotIndexed && len(text) > 1 {
				t.Errorf("inside %q: got entry %d, want that it is not known", text, got)
			}
		}
	})
	if seen < len(strs) {
		t.Errorf("got %d strings, want at least %d", seen, len(strs))
	}
	for _, key := range []dies.StrKey{0, 1 << 29, 2<<30 | 'x', 3 << 30, ^dies.StrKey(0)} {
		if got := lookup(&d.Strings, key); got != translate.NotIndexed {
			t.Errorf("key %#x: got entry %d, want that it is not known", key, got)
		}
	}
	if got := lookup(&dies.Strings{}, 1); got != translate.NotIndexed {
		t.Errorf("a string of another image: got entry %d, want that it is not known", got)
	}
	if got := testing.AllocsPerRun(100, func() { table.Lookup(&d.Strings, keys, entries) }); got != 0 {
		t.Errorf("got %v allocations per look-up, want none", got)
	}
}

// TestSizes: there are as many of these as functions in a kernel, or as 64 bytes of its names.
func TestSizes(t *testing.T) {
	for _, tt := range []struct {
		of   reflect.Type
		want uintptr
	}{{reflect.TypeFor[entry](), 16}, {reflect.TypeFor[symbol](), 16}, {reflect.TypeFor[place](), 16}, {reflect.TypeFor[nameKey](), 16}, {reflect.TypeFor[state](), 32}} {
		if got := tt.of.Size(); got > tt.want {
			t.Errorf("%v: got %d bytes, want %d", tt.of, got, tt.want)
		}
	}
}
