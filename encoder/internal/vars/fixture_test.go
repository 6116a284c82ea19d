package vars_test

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
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// A fixture is one rule: a small image, and what its variables become.
type fixture struct {
	name    string
	target  synth.Target
	with    []feature.Feature // beside the default ones
	without []feature.Feature
	build   func(b *synth.Builder)
	want    string // what outcome says in the profile pahole
	right   string // the same in the profile default, where that differs
	fails   string // part of the error in the profile pahole
	// rules are for the profile default; nil are those that hold without any.
	rules []encoder.SectionRule
	shows rules.Set // rules of pahole; without any one of them the result differs
}

func check(t *testing.T, fixtures []fixture) {
	for _, x := range fixtures {
		t.Run(x.name, func(t *testing.T) {
			b := synth.New(x.target)
			x.build(b)
			image := b.Bytes()
			opt := encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default().With(x.with...).Without(x.without...)}, VerifyDedup: true}
			got, res, err := outcome(image, opt)
			switch {
			case x.fails == "" && err != nil:
				t.Fatal(err)
			case x.fails != "" && (err == nil || !strings.Contains(err.Error(), x.fails)):
				t.Fatalf("error: got %v, want %q", err, x.fails)
			case x.fails == "" && got != trim(x.want):
				t.Errorf("got\n%s\nwant\n%s", got, trim(x.want))
			}
			right := x.right
			if right == "" {
				right = x.want
			}
			features := opt.Features
			for off := range x.shows.Each {
				opt.RulesOff = off
				got, _, err := outcome(image, opt)
				if (err == nil || x.fails != "" && strings.Contains(err.Error(), x.fails)) && got == trim(x.want) {
					t.Errorf("without rule %#x of what it shows: got the same", off)
				}
			}
			opt.RulesOff = 0
			opt.Profile, opt.Sections = encoder.Default, x.rules
			if x.fails == "" || x.right != "" {
				if got, _, err := outcome(image, opt); err != nil || got != trim(right) {
					t.Errorf("default profile: got\n%s (%v)\nwant\n%s", got, err, trim(right))
				}
			}
			t.Run("peer", func(t *testing.T) {
				var got []byte
				if res != nil {
					got = res.Object.AppendWire(nil)
				}
				peer.Same(t, image, features.Names(), got, show)
			})
		})
	}
}

// show is allVars of finished BTF.
func show(wire []byte) string {
	o, err := btf.Parse(wire, nil)
	if err != nil {
		return err.Error()
	}
	return allVars(o)
}

// outcome encodes an image and says which variables there are, and of all others why not.
func outcome(image []byte, opt encoder.Encoder) (string, *encoder.Result, error) {
	f, err := elf.NewFile(bytes.NewReader(image), uint64(len(image)))
	if err != nil {
		return "", nil, err
	}
	var dropped strings.Builder
	opt.OnVar = func(d encoder.VarDecision) {
		if d.Reason != encoder.VarKept {
			fmt.Fprintf(&dropped, "no %s: %s\n", d.Name, d.Reason)
		}
	}
	res, err := opt.Encode(context.Background(), f)
	if err != nil {
		return "", nil, err
	}
	return strings.TrimSpace(allVars(res.Object) + dropped.String()), res, nil
}

// allVars is every VAR with its linkage, and every DATASEC with name, size, and entries: name@offset+size.
func allVars(o *btf.Object) string {
	var out strings.Builder
	for _, r := range o.All() {
		switch r.Kind() {
		case btf.KindVar:
			fmt.Fprintf(&out, "%s %s\n", []string{"static", "global"}[r[3]], o.Name(r.Name()))
		case btf.KindDeclTag:
			fmt.Fprintf(&out, "  tag %d %s\n", int32(r[3]), o.Name(r.Name()))
		case btf.KindDatasec:
			fmt.Fprintf(&out, "%s %d:", o.Name(r.Name()), r.Size())
			for i := range r.Vlen() {
				e := r.Elem(i)
				fmt.Fprintf(&out, " %s@%d+%d", o.Name(o.At(btf.ID(e[0])).Name()), e[1], e[2])
			}
			out.WriteString("\n")
		}
	}
	return out.String()
}

func trim(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(strings.TrimPrefix(l, "\t\t\t"), " ")
	}
	return strings.Join(lines, "\n")
}
