package dump

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder/btf"
)

// randomObject returns n types that a library loads but no compiler makes: few names, references to any type that can be a value's. wild is
// the probability that a reference may lead to a later type, and so form a loop.
func randomObject(r *rand.Rand, n int, wild float64) *btf.Object {
	b := builder{btf.New([]binary.ByteOrder{binary.LittleEndian, binary.BigEndian}[r.IntN(2)], nil)}
	kinds := make([]btf.Kind, n+1)
	for id := range kinds[1:] {
		kinds[id+1] = btf.Kind(1 + r.IntN(int(btf.NumKinds)-1))
	}
	kinds[1] = btf.KindFuncProto
	// ref returns a type of one of some kinds, most often an earlier one. It returns 0 if there is none.
	ref := func(of ...btf.Kind) uint32 {
		end := int(b.End())
		if r.Float64() < wild {
			end = n + 1
		}
		for range 100 {
			if id := r.IntN(end); slices.Contains(of, kinds[id]) {
				return uint32(id)
			}
		}
		return 0
	}
	value := func() uint32 {
		return ref(btf.KindVoid, btf.KindInt, btf.KindPtr, btf.KindArray, btf.KindStruct, btf.KindUnion, btf.KindEnum, btf.KindFwd,
			btf.KindTypedef, btf.KindVolatile, btf.KindConst, btf.KindRestrict, btf.KindFuncProto, btf.KindFloat, btf.KindTypeTag, btf.KindEnum64)
	}
	names := []string{"", "", "", "a", "b", "c", "int", "long", "long int", "__builtin_va_list", "__gnuc_va_list", "__Poly8_t", "bpf_kfunc"}
	name := func() string { return names[r.IntN(len(names))] }
	sizes := []uint32{1, 2, 4, 8, 16}
	for _, k := range kinds[1:] {
		flag, vlen := r.IntN(2) == 0, uint32(r.IntN(5))
		switch k {
		case btf.KindInt:
			b.add(k, 0, false, name(), sizes[r.IntN(5)], 8<<r.IntN(3))
		case btf.KindArray:
			b.add(k, 0, false, "", 0, value(), value(), uint32(r.IntN(4)))
		case btf.KindStruct, btf.KindUnion:
			words := []uint32{uint32(r.IntN(40))}
			at := uint32(0)
			for range vlen {
				off := at
				if flag && r.IntN(2) == 0 {
					off |= uint32(1+r.IntN(16)) << 24
				}
				words = append(words, b.name(name()), value(), off)
				at += uint32([]int{0, 1, 3, 8, 16, 24, 32, 64, 96}[r.IntN(9)])
			}
			b.add(k, vlen, flag, name(), words...)
		case btf.KindEnum, btf.KindEnum64:
			words := []uint32{sizes[r.IntN(4)]}
			for range vlen {
				words = append(words, b.name(names[3+r.IntN(4)]), r.Uint32()>>r.IntN(32))
				if k == btf.KindEnum64 {
					words = append(words, uint32(r.IntN(2))*r.Uint32())
				}
			}
			b.add(k, vlen, flag, name(), words...)
		case btf.KindFuncProto:
			words := []uint32{value()}
			for range vlen {
				words = append(words, b.name(name()), value())
			}
			b.add(k, vlen, false, "", words...)
		case btf.KindFunc:
			b.add(k, uint32(r.IntN(3)), false, name(), max(ref(btf.KindFuncProto), 1))
		case btf.KindFwd:
			b.add(k, 0, flag, names[3+r.IntN(3)], 0)
		case btf.KindVar:
			b.add(k, 0, false, name(), value(), uint32(r.IntN(3)))
		case btf.KindDatasec:
			b.add(k, 1, false, name(), 8, ref(btf.KindVar), 0, 8)
		case btf.KindFloat:
			b.add(k, 0, false, name(), sizes[1+r.IntN(4)])
		case btf.KindDeclTag:
			b.add(k, 0, flag, name(), ref(btf.KindFunc, btf.KindVar, btf.KindStruct, btf.KindTypedef), uint32(r.IntN(2))-1)
		default:
			b.add(k, 0, flag, map[bool]string{true: name()}[k == btf.KindTypedef || k == btf.KindTypeTag], value())
		}
	}
	return b.Object
}

// errDied is returned if a signal ended bpftool: it crashed, or ran too long.
var errDied = errors.New("died")

// peerOutput runs bpftool with one second of CPU. The limit holds even if the test is killed meanwhile.
func peerOutput(name string, args ...string) ([]byte, error) {
	cmd := exec.Command("sh", append([]string{"-c", `ulimit -t 1; exec "$0" "$@"`, name}, args...)...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() < 0 {
		return nil, errDied
	}
	return out, err
}

// TestRandomLikeBpftool prints objects that no compiler makes in all formats. For some of them bpftool crashes in C, and for others it
// reports that they cannot be printed. Then WriteC also fails, after the same text.
func TestRandomLikeBpftool(t *testing.T) {
	bpftool := peer.Program(t, "bpftool")
	r := rand.New(rand.NewPCG(3, 4))
	file := filepath.Join(t.TempDir(), "random.btf")
	whole, died := 0, 0
	for i := range 80 {
		o := randomObject(r, 3+r.IntN(60), []float64{0, 0, 0, 0.02}[r.IntN(4)])
		if err := o.CheckReferences(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, o.AppendWire(nil), 0o600); err != nil {
			t.Fatal(err)
		}
		root := btf.ID(1 + r.IntN(o.Len()))
		for _, tt := range []struct {
			write func(*bytes.Buffer) error
			args  []string
		}{
			{func(b *bytes.Buffer) error { return WriteRaw(b, o) }, []string{"btf", "dump", "file", file}},
			{func(b *bytes.Buffer) error { return WriteJSON(b, o, true) }, []string{"-p", "btf", "dump", "file", file}},
			{func(b *bytes.Buffer) error { return WriteC(b, o, COptions{}) }, []string{"btf", "dump", "file", file, "format", "c"}},
			{func(b *bytes.Buffer) error { return WriteC(b, o, COptions{Unsorted: true}) }, []string{"btf", "dump", "file", file, "format", "c", "unsorted"}},
			{func(b *bytes.Buffer) error { return WriteC(b, o, COptions{Roots: []btf.ID{root}}) },
				[]string{"btf", "dump", "file", file, "format", "c", "root_id", fmt.Sprint(root)}},
		} {
			want, bad := peerOutput(bpftool, tt.args...)
			if errors.Is(bad, errDied) {
				died++
				continue
			}
			var got bytes.Buffer
			err := tt.write(&got)
			if (err != nil) != (bad != nil) {
				t.Errorf("object %d: bpftool %v: got error %v, bpftool's is %v", i, tt.args, err, bad)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("object %d: bpftool %v: %s", i, tt.args, firstDifference(got.Bytes(), want))
			}
			if bad == nil {
				whole++
			}
		}
	}
	t.Logf("%d whole dumps compared, bpftool died of %d", whole, died)
	if whole < 300 {
		t.Errorf("got %d whole dumps of 400", whole)
	}
}
