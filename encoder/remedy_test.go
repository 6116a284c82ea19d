package encoder_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// TestRemedies applies the remedy of every refusal that features cause in small images. The refusal disappears, and after few steps there is no
// refusal left that a feature causes. A refusal without a remedy stays, whichever feature is left out.
func TestRemedies(t *testing.T) {
	var files []string
	for _, pattern := range []string{"images/clang19-x86_64-*based.elf", "images/gcc12-s390x*.elf", "images/gcc12-x86_64-dwarf5-based.elf",
		"images/gcc12-i386-dwarf5-based.elf", "unusual/annot.elf", "unusual/clang.elf", "unusual/kfuncs*.elf", "unusual/cxx.elf"} {
		found, err := filepath.Glob(filepath.Join("..", "corpus", filepath.FromSlash(pattern)))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files (%v)", pattern, len(found), err)
		}
		files = append(files, found...)
	}
	sets := featureSets()
	sets = append(sets, feature.All().Without(feature.ForceCUMerging, feature.Layout), feature.Default().With(feature.Attributes, feature.GlobalVar))
	followed := map[string]int{}
	for _, file := range files {
		m := remedied{t: t, file: file, made: map[remediedKey][]byte{}}
		f, err := elf.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		m.f = f
		for _, profile := range []encoder.Profile{encoder.Default, encoder.Pahole} {
			for _, set := range sets {
				for _, k := range verify.Kernels() {
					for _, p := range []verify.Path{verify.Load, verify.Vmlinux} {
						m.follow(profile, set, k, p, followed)
					}
				}
			}
		}
		f.Close()
	}
	for _, phrase := range []string{"Invalid btf_info", "Invalid btf_info kind_flag", "Unsupported btf_header", "Invalid offset"} {
		if followed[phrase] == 0 {
			t.Errorf("no image was refused with %q", phrase)
		}
	}
}

type remediedKey struct {
	profile encoder.Profile
	set     feature.Set
}

type remedied struct {
	t    *testing.T
	file string
	f    *elf.File
	made map[remediedKey][]byte
}

// wire returns the BTF with some features; nil if there is none.
func (m *remedied) wire(profile encoder.Profile, set feature.Set) []byte {
	key := remediedKey{profile, set}
	wire, ok := m.made[key]
	if !ok {
		if res, err := (&encoder.Encoder{Options: encoder.Options{Profile: profile, Features: set}, Workers: 1}).Encode(context.Background(), m.f); err == nil {
			wire = res.Object.AppendWire(nil)
		}
		m.made[key] = wire
	}
	return wire
}

// refused returns the refusal of a kernel, or nil.
func (m *remedied) refused(profile encoder.Profile, set feature.Set, k verify.Kernel, p verify.Path) *verify.Refusal {
	wire := m.wire(profile, set)
	if wire == nil {
		return nil
	}
	err := verify.Check(wire, verify.Options{Kernel: k, Path: p, Order: m.f.Order, PtrSize: m.f.AddrSize(), Features: set})
	var no *verify.Refusal
	if err != nil && !errors.As(err, &no) {
		m.t.Fatal(err)
	}
	return no
}

func (m *remedied) follow(profile encoder.Profile, set feature.Set, k verify.Kernel, p verify.Path, followed map[string]int) {
	no := m.refused(profile, set, k, p)
	if no == nil {
		return
	}
	if no.LeaveOut == 0 {
		for _, name := range set.Names() {
			one, _ := feature.FromNames([]string{name}) // no error: the name comes from a set
			rest := set&^one | feature.None
			if m.wire(profile, rest) != nil && m.refused(profile, rest, k, p) == nil {
				m.t.Errorf("%s, %v, kernel %s, path %s: %v: no remedy, and it is accepted without %s", m.file, set, k, p, no, name)
			}
		}
		return
	}
	followed[no.Phrase]++
	if i := len(no.Phrase) - len(":00000000"); i > 0 && no.Phrase[i] == ':' { // the phrase ends with the bad word
		followed[no.Phrase[:i]]++
	}
	if no.LeaveOut&^set != 0 {
		m.t.Errorf("%s, %v: the remedy leaves out what is not in: %v", m.file, set, no.LeaveOut)
	}
	left := set
	for range 3 { // one refusal can hide another one
		left &^= no.LeaveOut
		again := m.refused(profile, left, k, p)
		if again == nil || again.LeaveOut == 0 {
			return
		}
		if again.Phrase == no.Phrase && again.Kind == no.Kind {
			m.t.Errorf("%s, %v, kernel %s, path %s: %v: after the remedy: %v", m.file, set, k, p, no, again)
		}
		no = again
	}
	m.t.Errorf("%s, %v, kernel %s, path %s: the remedies do not end: %v", m.file, set, k, p, no)
}
