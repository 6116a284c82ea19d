package verify

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// mutate changes a blob but keeps most of its structure: words of types and of the header, types removed or repeated, strings. It corrects
// the section lengths.
func mutate(r *rand.Rand, blob []byte) []byte {
	out := append([]byte{}, blob...)
	o := binary.LittleEndian
	if len(out) < 24 || o.Uint32(out[atLength:]) < 24 || uint64(o.Uint32(out[atLength:])) > uint64(len(out)) {
		return out
	}
	length := o.Uint32(out[atLength:])
	head, data := out[:length:length], out[length:]
	types := min(o.Uint32(head[atTypeLen:]), uint32(len(data))) &^ 3
	body, rest := append([]byte{}, data[:types]...), data[types:]
	for range 1 + r.IntN(4) {
		at := 4 * r.IntN(len(body)/4+1)
		switch n := 4 * r.IntN(8); {
		case at+4 > len(body):
		case r.IntN(3) == 0: // a word from another place
			copy(body[at:at+4], body[4*r.IntN(len(body)/4):])
		case r.IntN(3) == 0:
			o.PutUint32(body[at:], uint32(r.IntN(40)))
		case r.IntN(3) == 0:
			body[at+r.IntN(4)] ^= 1 << r.IntN(8)
		case r.IntN(2) == 0:
			body = append(body[:at], body[min(at+n, len(body)):]...)
		default:
			body = append(body[:at:at], append(append([]byte{}, body[at:min(at+n, len(body))]...), body[at:]...)...)
		}
	}
	if len(rest) > 0 && r.IntN(4) == 0 {
		rest[r.IntN(len(rest))] = "a_.1 \x00\xc3"[r.IntN(7)]
	}
	o.PutUint32(head[atTypeLen:], uint32(len(body)))
	o.PutUint32(head[atStrOff:], o.Uint32(head[atStrOff:])+uint32(len(body))-types)
	if r.IntN(12) == 0 {
		head[r.IntN(len(head))] ^= 1 << r.IntN(8)
	}
	return append(append(head, body...), rest...)
}

// holdTo checks what every result must satisfy, for any blob.
func holdTo(t testing.TB, blob []byte) {
	t.Helper()
	base := newBlob()
	base.integer("int", 4)
	for _, k := range Kernels() {
		var loaded error
		for p := range Path(len(paths)) {
			opt := Options{Kernel: k, Path: p}
			if p == Module {
				opt.Base = base.bytes()
			}
			err := Check(blob, opt)
			if again := Check(blob, opt); !reflect.DeepEqual(again, err) {
				t.Fatalf("%v, then %v", err, again)
			}
			if errors.Is(err, ErrNoPath) {
				continue
			}
			if p == Load {
				loaded = err
			}
			if p == Vmlinux && loaded == nil && err != nil {
				t.Fatalf("a load passes, and yet: %v", err)
			}
			if err != nil {
				plausible(t, blob, err)
			}
		}
	}
	Lint(blob, LintOptions{SMP: true, Earlier: blob})
	relocatable(blob, base.bytes())
}

func plausible(t testing.TB, blob []byte, err error) {
	t.Helper()
	var r *Refusal
	switch {
	case !errors.As(err, &r):
		t.Fatalf("not a refusal: %v", err)
	case r.Offset > uint64(len(blob)):
		t.Fatalf("offset %#x in a blob of %#x bytes", r.Offset, len(blob))
	case r.Reason == explain(fault{phrase: "no such phrase"}).why:
		t.Fatalf("no reason: %v", err)
	case !strings.HasSuffix(r.Line, r.Phrase):
		t.Fatalf("phrase %q is not at the end of line %q", r.Phrase, r.Line)
	case strings.ContainsRune(r.Error(), '\n'):
		t.Fatalf("more than one line: %q", r.Error())
	}
}

// relocatable uses a blob in every role of a relocation.
func relocatable(blob, base []byte) {
	Check(blob, Options{Path: Module, Base: base, Distilled: blob})
	Check(blob, Options{Path: Module, Base: blob, Distilled: base})
	Check(base, Options{Path: Module, Base: blob, Distilled: blob})
}

// FuzzCheck starts from the vectors. The seed selects changes that the fuzzer would hardly find.
func FuzzCheck(f *testing.F) {
	for i, v := range vectors(f) {
		if len(v.blob) < 4096 {
			f.Add(v.blob, uint64(i))
		}
	}
	f.Fuzz(func(t *testing.T, blob []byte, seed uint64) {
		holdTo(t, blob)
		r := rand.New(rand.NewPCG(seed, 1))
		for range 2 {
			blob = mutate(r, blob)
			holdTo(t, blob)
		}
	})
}

// TestDamaged makes such changes some thousand times, without the fuzzer.
func TestDamaged(t *testing.T) {
	all := vectors(t)
	for i := range uint64(3000) {
		r := rand.New(rand.NewPCG(3, i))
		blob := all[r.IntN(len(all))].blob
		if len(blob) < 4096 {
			holdTo(t, mutate(r, blob))
		}
		if i%10 == 0 {
			holdTo(t, generate(r))
			holdTo(t, generateFields(r))
		}
	}
}
