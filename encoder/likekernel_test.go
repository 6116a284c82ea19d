package encoder_test

import (
	"debug/elf"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/sorted"
)

// kfuncImage is a kernel with two kfuncs, plain and hidden. hidden has implicit arguments. pairs are the entries of its set: type ids and flags. own
// is the BTF in the image, or nil.
func kfuncImage(pairs [][2]uint32, own []byte) []byte {
	b := synth.New(synth.Target{})
	text := b.Text(".text", 0x10000, 0x100)
	cu := b.CU("kfuncs.c", synth.C11)
	aux := cu.Pointer(cu.Struct("bpf_prog_aux", 4, synth.Member{Name: "id", Type: cu.Base("int", 4, synth.Signed)}))
	order := binary.LittleEndian
	data := order.AppendUint32(order.AppendUint32(nil, uint32(len(pairs))), 1)
	for _, p := range pairs {
		data = order.AppendUint32(order.AppendUint32(data, p[0]), p[1])
	}
	ids := b.Section(".BTF_ids", elf.SHT_PROGBITS, elf.SHF_ALLOC, 0x20000, data)
	b.Local("__BTF_ID__set8__s", ids.At(0), uint64(len(data)), elf.STT_OBJECT)
	for i, name := range []string{"plain", "hidden"} {
		at := text.At(uint64(0x20 * i))
		b.Symbol(name, at, 16, elf.STT_FUNC)
		cu.Func(name, at, 16, nil, synth.Param{Name: "aux", Type: aux})
		b.Local("__BTF_ID__func__"+name+"__1", ids.At(uint64(8+8*i)), 4, elf.STT_OBJECT)
	}
	if own != nil {
		b.Section(".BTF", elf.SHT_PROGBITS, elf.SHF_ALLOC, 0x30000, own)
	}
	return b.Bytes()
}

// finishedBTF has the FUNCs hidden and plain as types 2 and 3, after an INT named first.
func finishedBTF(first string) []byte {
	o := btf.New(binary.LittleEndian, nil)
	o.Append(o.Strings.Add([]byte(first)), btf.Info(btf.KindInt, 0, false), 4, 32)
	for _, name := range []string{"hidden", "plain"} {
		o.Append(o.Strings.Add([]byte(name)), btf.Info(btf.KindFunc, 0, false), 4)
	}
	o.Append(0, btf.Info(btf.KindFuncProto, 0, false), 0)
	return o.AppendWire(nil)
}

// sortedBTF is finishedBTF sorted by name: hidden is type 3 and plain type 4.
func sortedBTF() []byte {
	o, err := btf.Parse(finishedBTF("a"), nil)
	if err != nil {
		panic(err)
	}
	return sorted.ByName(o).AppendWire(nil)
}

func TestLikeKernelKfuncs(t *testing.T) {
	const flag = 1 << 16
	linked := [][2]uint32{{0, 0}, {0, flag}}
	for _, tt := range []struct {
		name    string
		image   []byte
		opt     encoder.Options
		hidden  string // parameters of hidden; - if there is no FUNC hidden_impl
		sorted  bool
		warning string
	}{
		{"as linked", kfuncImage(linked, nil), encoder.Options{LikeKernel: true}, "0", false, ""},
		{"as linked, of a kernel that sorts", kfuncImage(linked, nil), encoder.Options{LikeKernel: true, Release: "7.2.13+deb14-cloud-amd64"}, "0", true, ""},
		{"as linked, of an older kernel", kfuncImage(linked, nil), encoder.Options{LikeKernel: true, Release: "6.18.1"}, "0", false, ""},
		{"as linked, not asked for", kfuncImage(linked, nil), encoder.Options{Release: "7.2.13"}, "1-", false, ""},
		{"finished, by the ids of its BTF", kfuncImage([][2]uint32{{2, flag}, {3, 0}}, finishedBTF("z")), encoder.Options{LikeKernel: true}, "0", false, ""},
		{"finished and sorted", kfuncImage([][2]uint32{{3, flag}, {4, 0}}, sortedBTF()), encoder.Options{LikeKernel: true, Release: "6.1.0"}, "0", true, ""},
		{"profile pahole", kfuncImage([][2]uint32{{3, flag}, {4, 0}}, sortedBTF()), encoder.Options{LikeKernel: true, Profile: encoder.Pahole}, "0", true, ""},
		{"finished, without its BTF", kfuncImage([][2]uint32{{3, flag}, {4, 0}}, nil), encoder.Options{LikeKernel: true}, "1-", false,
			"which of 2 kfuncs have implicit arguments is unknown"},
		{"finished, without its BTF, flags that all have", kfuncImage([][2]uint32{{3, flag}, {4, flag}}, nil), encoder.Options{LikeKernel: true}, "0", false, ""},
		{"finished, without its BTF and the flag", kfuncImage([][2]uint32{{3, 0}, {4, 1}}, nil), encoder.Options{LikeKernel: true}, "1-", false, ""},
		{"without tags", kfuncImage(linked, nil), encoder.Options{LikeKernel: true, Features: feature.Default().Without(feature.DeclTagKfuncs)}, "1-", false,
			"1 kfuncs have implicit arguments, which stay"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := encodeBytes(tt.image, encoder.Encoder{Options: tt.opt})
			if err != nil {
				t.Fatal(err)
			}
			o, got, twin := res.Object, "", "-"
			for _, r := range o.All() {
				switch {
				case r.Kind() != btf.KindFunc:
				case o.Name(r.Name()) == "hidden":
					got = string('0' + rune(o.At(r.Type()).Vlen()))
				case o.Name(r.Name()) == "hidden_impl":
					if twin = ""; o.At(r.Type()).Vlen() != 1 {
						t.Error("hidden_impl lost a parameter")
					}
				}
			}
			if got += twin; got != tt.hidden {
				t.Errorf("hidden has %s parameters, want %s", got, tt.hidden)
			}
			if res.Sorted != tt.sorted || sorted.IsByName(o) != tt.sorted {
				t.Errorf("sorted: %v, and the types are: %v", res.Sorted, sorted.IsByName(o))
			}
			i := slices.IndexFunc(res.Warnings, func(w encoder.Warning) bool { return w.Rule == encoder.RuleImplicit })
			if (i >= 0) != (tt.warning != "") || i >= 0 && !strings.Contains(res.Warnings[i].Examples[0], tt.warning) {
				t.Errorf("warnings %v, want %q", res.Warnings, tt.warning)
			}
		})
	}
}
