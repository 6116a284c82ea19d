package encoder_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

// TestRustFieldsPeer: in units in Rust, members have the order that they have for pahole, also among bit fields in both forms.
func TestRustFieldsPeer(t *testing.T) {
	reference.Dir(t)
	for seed := *firstSeed; seed < *firstSeed+seeds(4, 1); seed++ {
		for _, target := range []synth.Target{{}, {Order: binary.BigEndian, Machine: 22}} {
			exactAsPeer(t, fmt.Sprintf("seed %d, machine %d", seed, target.Machine), rustFields(seed, target))
		}
	}
}

// rustFields builds an image with random structs.
func rustFields(seed uint64, target synth.Target) []byte {
	r := rand.New(rand.NewPCG(seed, 80))
	b := synth.New(target)
	b.Text(".text", 0x10000, 16)
	cu := b.CU("a.rs", synth.Rust)
	structs := make([]*synth.DIE, 100)
	for i := range structs[:50] {
		structs[i] = cu.Struct(numbered("s", i), 32)
	}
	var types [4]*synth.DIE
	for i := range types {
		types[i] = cu.Base(numbered("u", 8<<i), 1<<i, synth.Unsigned)
		if i%2 != 0 {
			types[i] = cu.Typedef(numbered("t", 8<<i), cu.Volatile(types[i]))
		}
	}
	for i := range structs[50:] {
		structs[50+i] = cu.Struct(numbered("s", 50+i), 32)
	}
	pair := cu.Array(types[0], nil, 2)
	for _, s := range structs {
		for k := range 2 + r.IntN(4) {
			log := r.IntN(4)
			m, size := synth.Member{Name: numbered("m", k), Type: types[log]}, uint64(1)<<log
			if log == 1 && r.IntN(2) == 0 {
				m.Type = pair
			}
			switch r.IntN(4) {
			case 0:
				m.Off = r.Uint64N(16/size) * size
			case 1: // the form before DWARF 4
				m.Bits, m.Unit = 1+r.Uint64N(8*size-1), size
				m.BitOff = r.Uint64N(16/size)*8*size + r.Uint64N(8*size-m.Bits+1)
			default: // it can leave its storage unit
				m.Bits, m.BitOff = 1+r.Uint64N(8*size), r.Uint64N(128)
			}
			s.Member(m)
		}
	}
	return b.Bytes()
}
