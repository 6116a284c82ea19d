package encoder_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
)

// A batched module is one of those that share a base.
type batched struct {
	name  string
	image []byte
	opt   encoder.Encoder
	want  string // its BTF with a base that no other module has, or an error
}

// encoded returns the BTF of the module, or the error.
func (m *batched) encoded(ctx context.Context, base *encoder.Base) string {
	opt := m.opt
	opt.Base = base
	f, err := elf.NewFile(bytes.NewReader(m.image), uint64(len(m.image)))
	if err != nil {
		return "error: " + err.Error()
	}
	res, err := opt.Encode(ctx, f)
	if err != nil {
		return "error: " + err.Error()
	}
	return string(res.Object.AppendWire(nil))
}

// TestRandomBatches: modules that share a base have the same BTF as with a base of their own, in any order, several at once, and also after modules that
// failed, since they are damaged or were interrupted. What a module leaves in the maps of the base would be seen in another one.
func TestRandomBatches(t *testing.T) {
	outcomes := map[bool]int{}
	var mu sync.Mutex
	t.Run("all", func(t *testing.T) {
		eachProgram(t, 3, 1, func(t *testing.T, kind string, seed uint64) {
			modules, wire := batch(t, kind, seed)
			r := rand.New(rand.NewPCG(seed, 77))
			for round := range 3 {
				r.Shuffle(len(modules), func(i, j int) { modules[i], modules[j] = modules[j], modules[i] })
				base, got := encoder.NewBase(parsed(t, wire)), make([]string, len(modules))
				atOnce := 1 + round
				var wg sync.WaitGroup
				for first := range atOnce {
					wg.Go(func() {
						for i := first; i < len(modules); i += atOnce {
							got[i] = modules[i].encoded(t.Context(), base)
							if i%5 == 0 { // it is interrupted in its midst, or not at all
								ctx, cancel := context.WithTimeout(t.Context(), time.Duration(50*(i+round))*time.Microsecond)
								modules[(i+3)%len(modules)].encoded(ctx, base)
								cancel()
							}
						}
					})
				}
				wg.Wait()
				for i, m := range modules {
					if got[i] != m.want {
						t.Errorf("%s, seed %d, %d at once: %s: got %d bytes, want %d", kind, seed, atOnce, m.name, len(got[i]), len(m.want))
					}
				}
			}
			mu.Lock()
			defer mu.Unlock()
			for _, m := range modules {
				outcomes[m.want[0] == 'e']++
			}
		})
	})
	if outcomes[true] < 10 || outcomes[false] < 100 {
		t.Errorf("%d modules have BTF, and %d fail: that is too few", outcomes[false], outcomes[true])
	}
}

// batch returns modules of all kinds, some of them damaged, and their base, which is of one kind.
func batch(t *testing.T, kind string, seed uint64) (modules []*batched, wire []byte) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 78))
	opt := encoder.Encoder{Options: encoder.Options{Profile: encoder.Pahole, Features: feature.Default()}, Exact: true}
	kernel := programs(seed)[kind]
	kernel.target = targets[seed%4]
	res, err := encodeBytes(kernel.image(1+int(seed%6)), opt)
	if err != nil {
		t.Fatal(err)
	}
	wire = res.Object.AppendWire(nil)
	for i, other := range slices.Sorted(maps.Keys(programs(0))) {
		for _, headers := range []uint64{seed, seed + 1} { // those of the base, and others that define the same names
			p := programs(headers)[other]
			p.target = kernel.target
			if r.IntN(12) == 0 {
				p.target = targets[r.IntN(4)]
			}
			m := &batched{name: fmt.Sprintf("%s, headers %d", other, headers), image: p.image(1 + r.IntN(9)), opt: opt}
			m.opt.Exact, m.opt.Paranoid, m.opt.Workers = r.IntN(4) == 0, r.IntN(4) == 0, 1+r.IntN(3)
			if r.IntN(5) == 0 {
				m.opt.Profile = encoder.Default
			}
			if (i+int(headers))%6 == 0 {
				m.name = "damaged " + m.name
				f, err := elf.NewFile(bytes.NewReader(m.image), uint64(len(m.image)))
				if err != nil {
					t.Fatal(err)
				}
				info := f.Section(".debug_info")
				m.image[info.Off+info.Size/4+r.Uint64N(info.Size/2)] ^= 1 << r.IntN(8)
			}
			m.want = m.encoded(t.Context(), encoder.NewBase(parsed(t, wire)))
			modules = append(modules, m)
		}
	}
	return modules, wire
}

func parsed(t *testing.T, wire []byte) *btf.Object {
	t.Helper()
	o, err := btf.Parse(wire, nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
