package synth_test

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"fmt"

	"github.com/btfbatch/btfbatch/corpus/synth"
)

func Example() {
	b := synth.New(synth.Target{Class: elf.ELFCLASS64, Order: binary.BigEndian, Machine: elf.EM_S390, DWARF: 4})
	percpu := b.Data(".data..percpu", 0x1000, 64)
	cu := b.CU("a.c", synth.C11)
	i := cu.Base("int", 4, synth.Signed)
	s := cu.Struct("s", 8, synth.Member{Name: "a", Type: i}, synth.Member{Name: "b", Type: i, Off: 4})
	cu.Var("v", s, percpu.At(8)).External()
	b.Symbol("v", percpu.At(8), 8, elf.STT_OBJECT)

	f, err := elf.NewFile(bytes.NewReader(b.Bytes()))
	if err != nil {
		panic(err)
	}
	d, err := f.DWARF()
	if err != nil {
		panic(err)
	}
	t, err := d.Type(dwarf.Offset(s.Offset()))
	fmt.Println(f.Machine, t, t.Size(), err)
	// Output: EM_S390 struct s 8 <nil>
}
