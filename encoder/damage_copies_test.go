package encoder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// Copies of good images are damaged as by disks, transfers and tools, and then encoded. Each result is one of the fates below. The worst fate is
// BTF that lacks types or functions without a warning. It is allowed only if no reader can see the damage.

// A fate is the result of encoding a damaged copy.
type fate uint8

const (
	refusedThere fate = iota // the error has a place
	refused                  // the error has no place
	sameBTF
	otherBTF
	warned // fewer types or functions, with a warning about them
	fewer  // fewer types or functions, without a warning
	fates
)

var fateTexts = [fates]string{"refused with a place", "refused otherwise", "same BTF", "other BTF", "fewer types or functions with a warning",
	"fewer types or functions"}

// unseen says why no reader can see a damage that loses types or functions. The keys have the kind of damage and its place.
var unseen = map[string]string{
	"flipped bits in .strtab":                  "the name of a symbol is another name",
	"flipped bits in .debug_str":               "the name of a function or type is another name",
	"flipped bits in .debug_line_str":          "the name of a function or type is another name",
	"flipped bits in .debug_str_offsets":       "the name of a function or type is another name",
	"flipped bits in .symtab":                  "a symbol has another type, value, or section",
	"flipped bits in .shstrtab":                "the section of variables has another name",
	"flipped bits in section headers":          "the section of variables has another name, type or address",
	"flipped bits in ELF header":               "the image is one of another type or machine",
	"flipped bits in .debug_info":              "a number, a name or a reference is another one",
	"reference in .debug_info":                 "the reference leads to another DIE",
	"flipped bits in .debug_abbrev":            "a tag, an attribute or a form is another one of the same size",
	"flipped bits in .debug_addr":              "an address is another one",
	"zeroed block of 512 bytes in .debug_addr": "addresses are 0, as those of discarded code are",
	"flipped bits in .debug_loclists":          "a parameter is elsewhere",
	"flipped bits in .debug_loc":               "a parameter is elsewhere",
	"flipped bits in .BTF_ids":                 "a set is none of kernel functions",
	"zeroed block of 512 bytes in .BTF_ids":    "a set is none of kernel functions, as sets are that nothing says so of",
	"zeroed block of 4096 bytes in .BTF_ids":   "a set is none of kernel functions, as sets are that nothing says so of",
	"truncated section in .symtab":             "the table ends between two symbols, behind the local ones",
	"size in .symtab":                          "the table ends between two symbols, behind the local ones",
	"flipped bits in relocations":              "a relocation is another one",
	"truncated section in relocations":         "the table ends between two relocations",
	"size in relocations":                      "the table ends between two relocations, or is empty",
}

// kind returns the key of a damage in unseen.
func (d *damage) kind() string {
	section := d.section
	if strings.HasPrefix(section, ".rel") {
		section = "relocations"
	}
	return d.sort + " in " + section
}

// An encodedImage is the result of encoding an image or a damaged copy.
type encodedImage struct {
	wire         []byte
	types, funcs int
	warnings     []encoder.Warning
	took         time.Duration
	memory       uint64 // the most memory that the encoding used, in bytes
}

// encodeFrom encodes and verifies an image, as for publishing.
func encodeFrom(r io.ReaderAt, size int64, opt encoder.Encoder) (out encodedImage, err error) {
	begin := time.Now()
	f, err := elf.NewFile(r, uint64(size))
	if err == nil {
		var res *encoder.Result
		if res, err = opt.Encode(context.Background(), f); err == nil {
			err = out.take(f, res, opt)
		}
	}
	out.took = time.Since(begin)
	return out, err
}

func (out *encodedImage) take(f *elf.File, res *encoder.Result, opt encoder.Encoder) error {
	out.wire, out.types, out.warnings = res.Object.AppendWire(nil), res.Object.Len(), res.Warnings
	for _, r := range res.Object.All() {
		if r.Kind() == btf.KindFunc {
			out.funcs++
		}
	}
	err := verify.Check(out.wire, verify.Options{Path: verify.Vmlinux, PtrSize: f.AddrSize()})
	var refusal *verify.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	from, located := opt.Locate(context.Background(), f, res.Object, btf.ID(refusal.TypeID))
	if located != nil {
		return fmt.Errorf("%w; and where it comes from: %w", err, located)
	}
	return fmt.Errorf("%w; it comes from %s", err, from)
}

// fateOf returns the fate of a copy.
func fateOf(good *encodedImage, got encodedImage, err error) fate {
	switch {
	case errors.Is(err, encoder.ErrNoDWARF) || errors.Is(err, encoder.ErrNoSymbols) || errors.Is(err, encoder.ErrNoTypes):
		return refusedThere // the place is the image as a whole
	case err != nil && place.MatchString(err.Error()):
		return refusedThere
	case err != nil:
		return refused
	case bytes.Equal(got.wire, good.wire):
		return sameBTF
	case got.types >= good.types && got.funcs >= good.funcs:
		return otherBTF
	case len(got.warnings) > len(good.warnings):
		return warned
	}
	return fewer
}

// A tally counts fates.
type tally struct {
	t      *testing.T
	mu     sync.Mutex
	counts [fates]int
	lost   map[string]int // number of copies with fate fewer, by kind of damage
}

// add counts the fate of a copy, and checks its time and memory.
func (y *tally) add(name string, x damage, good *encodedImage, got encodedImage, err error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	n := fateOf(good, got, err)
	y.counts[n]++
	kind := x.kind()
	switch n {
	case refused:
		y.t.Errorf("%s, %v: the error names no place: %v", name, x, err)
	case fewer:
		if y.lost[kind]++; unseen[kind] == "" {
			y.t.Errorf("%s, %v: %d types and %d functions instead of %d and %d, and no word", name, x, got.types, got.funcs, good.types, good.funcs)
		}
	}
	if err != nil && (strings.Contains(err.Error(), "internal error") || strings.Contains(err.Error(), "goroutine ")) {
		y.t.Errorf("%s, %v: a panic: %v", name, x, err)
	}
	if most := 10*good.took + 2*time.Second; got.took > most {
		y.t.Errorf("%s, %v: took %v, want at most %v", name, x, got.took, most)
	}
	if most := 4*good.memory + 64<<20; got.memory > most {
		y.t.Errorf("%s, %v: took %d MiB, want at most %d MiB", name, x, got.memory>>20, most>>20)
	}
}

// report prints the counts on one line, and then those of the fate fewer by kind of damage.
func (y *tally) report(what string, most int) {
	y.t.Helper()
	total, line := 0, ""
	for n, text := range fateTexts {
		total += y.counts[n]
		line += fmt.Sprintf(", %d %s", y.counts[n], text)
	}
	y.t.Logf("%d damaged copies of %s: %s", total, what, strings.TrimPrefix(line, ", "))
	var kinds []string
	for kind, n := range y.lost {
		kinds = append(kinds, fmt.Sprintf("%4d %s: %s", n, kind, unseen[kind]))
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		y.t.Log(kind)
	}
	if n := y.counts[fewer]; n > most {
		y.t.Errorf("%d copies of %s lost types or functions in silence, want at most %d", n, what, most)
	}
}

// heap returns the size of all heap objects in bytes.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// watched calls do and returns by how many bytes the used memory grew.
func watched(do func()) (most uint64) {
	var high atomic.Uint64
	runtime.GC() // earlier garbage does not count
	before, done := heap(), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			high.Store(max(high.Load(), heap()))
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	})
	do()
	close(done)
	wg.Wait()
	return high.Load() - min(before, high.Load())
}

// TestDamagedCopies damages copies of the committed images.
func TestDamagedCopies(t *testing.T) {
	const copies, workers = 2000, 2
	const before = 305 // copies with the fate fewer, without the checks that find such damage
	opt := encoder.Encoder{Options: encoder.Options{Features: feature.Default()}, Workers: 1}
	type image struct {
		name string
		seed uint64 // per image, so that a new image does not change the copies of the others
		d    *damager
		good encodedImage
	}
	var images []image
	for _, name := range imageNames(t) {
		data := read(t, imagePath(t, name))
		r := bytes.NewReader(data)
		good, err := encodeFrom(r, int64(len(data)), opt)
		if err != nil {
			t.Fatal(name, err)
		}
		images = append(images, image{name, uint64(crc32.ChecksumIEEE([]byte(name))), newDamager(t, r, int64(len(data))), good})
	}
	y := tally{t: t, lost: make(map[string]int)}
	var next atomic.Int64
	memory := watched(func() {
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for i := int(next.Add(1)) - 1; i < copies; i = int(next.Add(1)) - 1 {
					m := &images[i%len(images)]
					p, x := m.d.damage(rand.New(rand.NewPCG(m.seed, uint64(i/len(images)))))
					got, err := encodeFrom(p, p.size, opt)
					y.add(m.name, x, &m.good, got, err)
				}
			})
		}
		wg.Wait()
	})
	if most := uint64(workers * 64 << 20); memory > most {
		t.Errorf("took %d MiB, want at most %d MiB", memory>>20, most>>20)
	}
	y.report("committed images", before/3)
}

// TestDamagedKernel damages copies of a kernel of the lab.
func TestDamagedKernel(t *testing.T) {
	const copies = 100
	const before = 16 // copies with the fate fewer, without the checks that find such damage
	if testing.Short() {
		t.Skipf("%d copies of a kernel take some minutes", copies)
	}
	f, err := os.Open(reference.Kernel(t, "6.1-s390x"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	opt := encoder.Encoder{Options: encoder.Options{Features: feature.Default()}, Workers: 2}
	var good encodedImage
	memory := watched(func() { good, err = encodeFrom(f, st.Size(), opt) })
	if err != nil {
		t.Fatal(err)
	}
	good.memory = memory
	d := newDamager(t, f, st.Size())
	y := tally{t: t, lost: make(map[string]int)}
	for i := range copies {
		p, x := d.damage(rand.New(rand.NewPCG(12, uint64(i))))
		var got encodedImage
		memory := watched(func() { got, err = encodeFrom(p, p.size, opt) })
		got.memory = memory
		y.add("6.1-s390x", x, &good, got, err)
	}
	y.report("kernel 6.1-s390x", before/3)
}
