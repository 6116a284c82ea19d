package encoder_test

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// TestLocate: Locate finds a DIE for every type of finished BTF, and for a named type a DIE with that name. That holds whether units are
// translated one by one or together, and whether or not types are sorted.
func TestLocate(t *testing.T) {
	where := regexp.MustCompile(`^CU \d+: \.debug_(info|types)\+0x[0-9a-f]+: \S+\.[chS]: `)
	for _, name := range []string{"gcc12-x86_64-dwarf5-zerobased", "clang19-x86_64-dwarf5-lto", "gcc12-i386-dwarf5-module", "clang19-s390x-dwarf4-based"} {
		for _, sorted := range []bool{false, true} {
			data := read(t, imagePath(t, name))
			f, err := elf.NewFile(bytes.NewReader(data), uint64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			opt := encoder.Encoder{Options: encoder.Options{Features: feature.Default(), SortByName: sorted}, Workers: 1}
			res, err := opt.Encode(context.Background(), f)
			if err != nil {
				t.Fatal(err)
			}
			o := res.Object
			for id, r := range o.All() {
				from, err := opt.Locate(context.Background(), f, o, id)
				base, _, _ := strings.Cut(o.Name(r.Name()), ".")
				switch r.Kind() {
				case btf.KindDatasec, btf.KindDeclTag, btf.KindTypeTag: // they have no DIE with their name
					base = ""
				}
				if err != nil && r.Kind() != btf.KindTypeTag || err == nil && (!where.MatchString(from) || !strings.Contains(from, base)) {
					t.Errorf("%s: type %d, %s %s: got %q and error %v", name, id, r.Kind(), o.Name(r.Name()), from, err)
				}
			}
			if _, err := opt.Locate(context.Background(), f, o, o.End()); err == nil {
				t.Errorf("%s: a type that is not there comes from somewhere", name)
			}
		}
	}
}

// TestLocateNested: the search ends for nested unions without names, each of which contains many of the next one.
func TestLocateNested(t *testing.T) {
	const members, levels = 40, 8
	b := synth.New(synth.Target{})
	cu := b.CU("unit", synth.C11)
	in := cu.Base("int", 4, synth.Signed)
	for range levels {
		var list []synth.Member
		for range members {
			list = append(list, synth.Member{Type: in})
		}
		in = cu.Union("", 4, list...)
	}
	cu.Struct("s", 4, synth.Member{Type: in})
	data := b.Bytes()
	f, err := elf.NewFile(bytes.NewReader(data), uint64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	opt := encoder.Encoder{Options: encoder.Options{Features: feature.Default()}, Workers: 1}
	res, err := opt.Encode(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := opt.Locate(context.Background(), f, res.Object, res.Object.End()-1)
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, encoder.ErrNotLocated) {
			t.Errorf("got error %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("not done after a minute")
	}
}
