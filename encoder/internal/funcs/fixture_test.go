package funcs_test

import (
	"bytes"
	"context"
	"debug/dwarf"
	stdelf "debug/elf"
	"fmt"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A fixture is one rule: a small image, and what its functions become.
type fixture struct {
	name     string
	target   synth.Target
	with     []feature.Feature // in addition to the default ones
	without  []feature.Feature
	build    func(b *image)
	want     string // the output of outcome in the profile pahole
	right    string // the same in the profile default, if it differs
	fails    string // part of the error
	deviates string // why pahole is not run
	// shows are rules of pahole; without any one of them the result differs.
	shows rules.Set
}

// anything is the outcome of an image in which no function is left out, whatever the prototypes are.
const anything = "*"

// An image is a builder with what nearly every fixture needs.
type image struct {
	*synth.Builder
	text *synth.Section
	*synth.CU
	i, l *synth.DIE
}

func newImage(target synth.Target) *image {
	m := &image{Builder: synth.New(target)}
	addr := uint64(0x10000)
	if m.Target().Type == stdelf.ET_REL {
		addr = 0
	}
	m.text = m.Text(".text", addr, 0x1000)
	m.unit("a.c")
	return m
}

// unit starts a new unit.
func (m *image) unit(name string, opts ...synth.CUOption) {
	m.CU = m.Builder.CU(name, synth.C11, opts...)
	m.i, m.l = m.Base("int", 4, synth.Signed), m.Base("long", 8, synth.Signed)
}

// symbol adds a function symbol.
func (m *image) symbol(name string, off uint64) {
	m.Symbol(name, m.text.At(off), 16, stdelf.STT_FUNC)
}

// fn adds a function and its symbol.
func (m *image) fn(name string, off uint64, ret *synth.DIE, params ...synth.Param) *synth.DIE {
	m.symbol(name, off)
	return m.Func(name, m.text.At(off), 16, ret, params...)
}

// at returns a parameter with a location.
func (m *image) at(name string, typ *synth.DIE, ops ...synth.Op) synth.Param {
	return synth.Param{Name: name, Type: typ, Extra: []synth.Part{m.Loc(ops...)}}
}

func check(t *testing.T, fixtures []fixture) {
	for _, x := range fixtures {
		t.Run(x.name, func(t *testing.T) {
			m := newImage(x.target)
			x.build(m)
			data, features := m.Bytes(), feature.Default().With(x.with...).Without(x.without...)
			got, res, err := outcome(data, encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: features}})
			switch {
			case x.fails == "" && err != nil:
				t.Fatal(err)
			case x.fails != "" && (err == nil || !strings.Contains(err.Error(), x.fails)):
				t.Fatalf("error: got %v, want %q", err, x.fails)
			case x.want == anything:
				if strings.Contains(got, ": ") {
					t.Errorf("got\n%s\nwant the function", got)
				}
			case x.fails == "" && got != trim(x.want):
				t.Errorf("got\n%s\nwant\n%s", got, trim(x.want))
			}
			all := got
			if x.right != "" {
				if got, _, err = outcome(data, encoder.Encoder{Options: encoder.Options{Features: features}}); err != nil || got != trim(x.right) {
					t.Errorf("default profile: got\n%s, %v\nwant\n%s", got, err, trim(x.right))
				}
			}
			for off := range x.shows.Each {
				without, _, err := outcome(data, encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, RulesOff: off, Features: features}})
				if (err == nil || x.fails != "" && strings.Contains(err.Error(), x.fails)) && without == all {
					t.Errorf("without rule %#x of what it shows: got the same", off)
				}
			}
			t.Run("peer", func(t *testing.T) {
				if x.deviates != "" {
					t.Skip(x.deviates)
				}
				var got []byte
				if res != nil {
					got = res.Object.AppendWire(nil)
				}
				peer.Same(t, data, features.Names(), got, show)
			})
		})
	}
}

// show is allFuncs for finished BTF.
func show(wire []byte) string {
	o, err := btf.Parse(wire, nil)
	if err != nil {
		return err.Error()
	}
	return allFuncs(o)
}

// outcome encodes an image, and returns for every function its FUNC or why it was left out.
func outcome(data []byte, opt encoder.Encoder) (string, *encoder.Result, error) {
	f, err := elf.NewFile(bytes.NewReader(data), uint64(len(data)))
	if err != nil {
		return "", nil, err
	}
	var dropped []string
	opt.VerifyDedup, opt.OnFunc = true, func(d encoder.FuncDecision) {
		if d.Reason != encoder.FuncKept {
			dropped = append(dropped, d.Name+": "+d.Reason.String())
		}
	}
	res, err := opt.Encode(context.Background(), f)
	if err != nil {
		return "", nil, err
	}
	return strings.TrimSpace(allFuncs(res.Object) + strings.Join(dropped, "\n")), res, nil
}

// allFuncs is every FUNC in order, each with its tags.
func allFuncs(o *btf.Object) string {
	var out strings.Builder
	for id, r := range o.All() {
		switch r.Kind() {
		case btf.KindFunc:
			fmt.Fprintf(&out, "%s%s\n", o.Name(r.Name()), protoText(o, o.At(r.Type())))
			if r.Vlen() != btf.LinkageStatic {
				fmt.Fprintf(&out, "  linkage %d\n", r.Vlen())
			}
		case btf.KindDeclTag:
			if target := o.At(r.Type()); target.Kind() == btf.KindFunc {
				fmt.Fprintf(&out, "  tag %d %s (%d)\n", int32(r[3]), o.Name(r.Name()), id-r.Type())
			}
		}
	}
	return out.String()
}

func protoText(o *btf.Object, r btf.Record) string {
	var params []string
	for i := range r.Vlen() {
		e := r.Elem(i)
		if e[0] == 0 && e[1] == 0 {
			params = append(params, "...")
			continue
		}
		params = append(params, strings.TrimSpace(o.Name(e[0])+" "+typeText(o, btf.ID(e[1]))))
	}
	return "(" + strings.Join(params, ", ") + ") " + typeText(o, r.Type())
}

func typeText(o *btf.Object, id btf.ID) string {
	if id == 0 {
		return "void"
	}
	r := o.At(id)
	switch name := o.Name(r.Name()); r.Kind() {
	case btf.KindPtr:
		return "*" + typeText(o, r.Type())
	case btf.KindConst, btf.KindVolatile, btf.KindRestrict:
		return strings.ToLower(r.Kind().String()) + " " + typeText(o, r.Type())
	case btf.KindTypeTag:
		return fmt.Sprintf("tag(%s,%v) ", name, r.Kflag()) + typeText(o, r.Type())
	case btf.KindStruct, btf.KindUnion, btf.KindEnum, btf.KindEnum64, btf.KindFwd:
		return strings.ToLower(r.Kind().String()) + " " + name
	case btf.KindArray:
		return fmt.Sprintf("[%d]", r[5]) + typeText(o, btf.ID(r[3]))
	case btf.KindFuncProto:
		return "func" + protoText(o, r)
	default:
		return name
	}
}

func trim(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(strings.TrimPrefix(l, "\t\t\t"), " ")
	}
	return strings.Join(lines, "\n")
}

func origin(of *synth.DIE) synth.Attr { return synth.Ref(dwarf.AttrAbstractOrigin, synth.FormRef4, of) }
