package translate_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
	"github.com/btfbatch/btfbatch/encoder/internal/translate"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A fixture shows one rule: a small image, and what each of its units becomes.
type fixture struct {
	name    string
	target  synth.Target
	without []feature.Feature // of the default ones
	build   func(b *synth.Builder)
	want    string // the output of describe for the units, one after another
	fails   string // part of the error
	// deviates says why pahole is not run.
	deviates string
	shows    rules.Set // rules of pahole; without any one of them the result differs
}

// check translates the units of each fixture and compares the result. Then it compares the whole encoding with the output of
// pahole.
func check(t *testing.T, fixtures []fixture) {
	for _, x := range fixtures {
		t.Run(x.name, func(t *testing.T) {
			b := synth.New(x.target)
			x.build(b)
			image := b.Bytes()
			features := feature.Default().Without(x.without...)
			got, err := translated(image, features)
			switch {
			case x.fails == "" && err != nil:
				t.Fatal(err)
			case x.fails != "" && (err == nil || !strings.Contains(err.Error(), x.fails)):
				t.Errorf("error: got %v, want %q", err, x.fails)
			case x.fails == "" && got != trim(x.want):
				t.Errorf("got\n%s\nwant\n%s", got, trim(x.want))
			}
			for off := range x.shows.Each {
				got, err := translatedBy(rules.Pahole&^off, image, features)
				if err == nil && got == trim(x.want) || err != nil && x.fails != "" && strings.Contains(err.Error(), x.fails) {
					t.Errorf("without rule %#x of what it shows: got the same", off)
				}
			}
			t.Run("peer", func(t *testing.T) {
				if x.deviates != "" {
					t.Skip(x.deviates)
				}
				samePeer(t, image, features)
			})
		})
	}
}

// samePeer encodes an image in the profile pahole and with pahole, and compares.
func samePeer(t *testing.T, image []byte, features feature.Set) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(image), uint64(len(image)))
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	res, err := (&encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: features}, VerifyDedup: true}).Encode(context.Background(), f)
	if err != nil {
		t.Logf("the encoder says: %v", err)
	} else {
		got = res.Object.AppendWire(nil)
	}
	peer.Same(t, image, features.Names(), got, func(wire []byte) string {
		o, err := btf.Parse(wire, nil)
		if err != nil {
			return err.Error()
		}
		return objectText(o)
	})
}

// open reads the DWARF of an image.
func open(image []byte) (*dwarf.Data, error) {
	f, err := elf.NewFile(bytes.NewReader(image), uint64(len(image)))
	if err != nil {
		return nil, err
	}
	return dwarf.Open(f)
}

// everything returns options with which no function or variable is left to the symbol table.
func everything(features feature.Set) *translate.Options {
	return &translate.Options{Peer: rules.Pahole, Features: features, FuncIndex: func(_ [][]byte, numbers []int32) uint64 { clear(numbers); return 0 }, Wanted: func(uint64) bool { return true }}
}

// translated describes all units of an image. The same Unit serves for all of them, as in the product.
func translated(image []byte, features feature.Set) (string, error) {
	return translatedBy(rules.Pahole, image, features)
}

// translatedBy is translated with the given rules of pahole.
func translatedBy(peer rules.Set, image []byte, features feature.Set) (string, error) {
	opt := everything(features)
	opt.Peer = peer
	d, err := open(image)
	if err != nil {
		return "", err
	}
	var (
		u   dwarf.Unit
		tr  translate.Translator
		t   translate.Unit
		fs  translate.Subprograms
		out strings.Builder
	)
	for r := d.Units(); ; {
		more, err := r.Next(&u)
		if err != nil {
			return "", err
		}
		if !more {
			return strings.TrimSpace(out.String()), nil
		}
		if err := u.Open(); err != nil {
			return "", err
		}
		if err := tr.CU(&u, &d.Strings, opt, &t, &fs); err != nil {
			return "", err
		}
		describe(&out, &t, &fs)
		out.WriteString("\n")
	}
}

// describe writes a unit one line per thing: types by local id, declaration tags, functions, variables.
func describe(out *strings.Builder, t *translate.Unit, fs *translate.Subprograms) {
	name := func(key uint32) string { return string(t.Strings.Append(nil, dwarf.StrKey(key))) }
	for id, r := range t.Types.All() {
		out.WriteString(recordText(id, r, name) + "\n")
	}
	tags := func(what string, list []translate.DeclTag) {
		for _, d := range list {
			fmt.Fprintf(out, "tag %s%d %d %s\n", what, d.Owner, d.Component, name(uint32(d.Value)))
		}
	}
	tags("", t.TypeTags)
	for i := range fs.Funcs {
		f := &fs.Funcs[i]
		fmt.Fprintf(out, "func %s %d(", name(uint32(f.Name)), f.Type)
		for j, p := range fs.Params[f.First : f.First+f.N] {
			fmt.Fprintf(out, "%s%s:%d", []string{"", " "}[min(j, 1)], name(uint32(p.Name)), p.Type)
		}
		out.WriteString(")")
		for _, flag := range []struct {
			set  bool
			text string
		}{{f.Variadic, "variadic"}, {f.Decl, "declared"}, {f.Inline, "inline"}} {
			if flag.set {
				out.WriteString(" " + flag.text)
			}
		}
		if f.Addr != 0 {
			fmt.Fprintf(out, " at %#x", f.Addr)
		}
		out.WriteString("\n")
		for _, d := range translate.TagsOf(fs.Tags, f.Off) {
			fmt.Fprintf(out, "  tag %d %s\n", d.Component, name(uint32(d.Value)))
		}
	}
	for i := range t.Vars {
		v := &t.Vars[i]
		fmt.Fprintf(out, "var %s %d at %#x size %d", name(uint32(v.Name)), v.Type, v.Addr, v.Size)
		for _, flag := range []struct {
			set  bool
			text string
		}{{v.External, "external"}, {v.Inner, "inner"}, {v.Artificial, "artificial"}} {
			if flag.set {
				out.WriteString(" " + flag.text)
			}
		}
		out.WriteString("\n")
		for _, d := range translate.TagsOf(t.VarTags, v.Off) {
			fmt.Fprintf(out, "  tag %d %s\n", d.Component, name(uint32(d.Value)))
		}
	}
}

// recordText is one type, such as
//
//	3 STRUCT s 8: a:1@0 f:1@32/3
//
// where a and f are members of type 1 at bits 0 and 32, the latter a bit field of three bits.
func recordText(id btf.ID, r btf.Record, name func(uint32) string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d %s", id, r.Kind())
	if r.Name() != 0 {
		out.WriteString(" " + name(r.Name()))
	}
	switch k := r.Kind(); k {
	case btf.KindInt:
		fmt.Fprintf(&out, " %d%s", r.Size(), map[uint32]string{0: "", btf.IntSigned: " signed", btf.IntBool: " bool"}[r[3]>>24])
		if r[3]&0xffffff != 8*r.Size() {
			fmt.Fprintf(&out, " bits %d", r[3]&0xffffff)
		}
	case btf.KindFloat:
		fmt.Fprintf(&out, " %d", r.Size())
	case btf.KindStruct, btf.KindUnion:
		fmt.Fprintf(&out, " %d:", r.Size())
		for i := range r.Vlen() {
			e := r.Elem(i)
			fmt.Fprintf(&out, " %s:%d@%d", name(e[0]), e[1], e[2]&map[bool]uint32{false: ^uint32(0), true: 0xffffff}[r.Kflag()])
			if r.Kflag() {
				fmt.Fprintf(&out, "/%d", e[2]>>24)
			}
		}
	case btf.KindEnum, btf.KindEnum64:
		fmt.Fprintf(&out, " %d%s:", r.Size(), map[bool]string{true: " signed"}[r.Kflag()])
		for i := range r.Vlen() {
			e := r.Elem(i)
			v := uint64(e[1])
			if k == btf.KindEnum64 {
				v |= uint64(e[2]) << 32
			} else if r.Kflag() {
				v = uint64(int32(e[1]))
			}
			if r.Kflag() {
				fmt.Fprintf(&out, " %s=%d", name(e[0]), int64(v))
			} else {
				fmt.Fprintf(&out, " %s=%d", name(e[0]), v)
			}
		}
	case btf.KindFwd:
		out.WriteString(map[bool]string{false: " struct", true: " union"}[r.Kflag()])
	case btf.KindArray:
		fmt.Fprintf(&out, " %d[%d]", r[3], r[5])
	case btf.KindFuncProto:
		fmt.Fprintf(&out, " %d(", r.Type())
		for i := range r.Vlen() {
			e := r.Elem(i)
			fmt.Fprintf(&out, "%s%s:%d", []string{"", " "}[min(i, 1)], name(e[0]), e[1])
		}
		out.WriteString(")")
	case btf.KindDatasec:
		fmt.Fprintf(&out, " %d:", r.Size())
		for i := range r.Vlen() {
			e := r.Elem(i)
			fmt.Fprintf(&out, " %d@%d+%d", e[0], e[1], e[2])
		}
	case btf.KindVar, btf.KindDeclTag:
		fmt.Fprintf(&out, " %d, %d", r.Type(), int32(r[3]))
	default:
		fmt.Fprintf(&out, " %d", r.Type())
	}
	return out.String()
}

func objectText(o *btf.Object) string {
	var out strings.Builder
	for id, r := range o.All() {
		text := recordText(id, r, o.Name)
		if r.Kind() == btf.KindArray {
			text += fmt.Sprintf(" by %d", r[4])
		}
		out.WriteString(text + "\n")
	}
	return out.String() + fmt.Sprintf("%q", o.Strings.Bytes())
}

// trim takes the indentation of a raw string out.
func trim(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(strings.TrimPrefix(l, "\t\t\t"), " ")
	}
	return strings.Join(lines, "\n")
}
