package encoder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

// Encode an image, check whether a kernel accepts the BTF, and embed it into a copy of the image.
func Example() {
	f, err := elf.Open("../corpus/images/gcc12-x86_64-dwarf5-based.elf")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()

	res, err := encoder.Encode(context.Background(), f, encoder.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d types, %d functions\n", res.Object.Len(), res.Stats.Funcs.Emitted)

	sections, err := res.Sections()
	if err != nil {
		log.Fatal(err)
	}
	err = verify.Check(sections.BTF, verify.Options{Path: verify.Vmlinux, Order: f.Order, PtrSize: f.AddrSize()})
	fmt.Println("the newest kernel accepts it:", err == nil)

	if sections, err = sections.For(f); err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := f.Embed(sections.List(), elf.NewCopy(filepath.Join(dir, "vmlinux"))); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 166 types, 18 functions
	// the newest kernel accepts it: true
}

// The BTF of a module continues the BTF of its kernel. With the feature distilled_base the module also gets a distilled base, with which it loads
// on other builds of that kernel.
func ExampleEncoder() {
	wire, err := os.ReadFile("../corpus/images/gcc12-x86_64-dwarf5-based.btf.golden") // or the section .BTF of vmlinux
	if err != nil {
		log.Fatal(err)
	}
	kernel, err := btf.Parse(wire, nil)
	if err != nil {
		log.Fatal(err)
	}
	f, err := elf.Open("../corpus/images/gcc12-x86_64-dwarf5-driver.ko")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()

	enc := encoder.Encoder{
		Options: encoder.Options{Features: feature.Default().With(feature.DistilledBase)},
		Base:    encoder.NewBase(kernel), // the same for all modules of a kernel
		Workers: 1,
	}
	res, err := enc.Encode(context.Background(), f)
	if err != nil {
		log.Fatal(err)
	}
	sections, err := res.Sections()
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range sections.List() {
		fmt.Printf("%s: %d bytes\n", s.Name, len(s.Data))
	}
	// Output:
	// .BTF: 974 bytes
	// .BTF.base: 328 bytes
}

// Hooks report why a function or variable is left out.
func ExampleHooks() {
	f, err := elf.Open("../corpus/images/gcc12-x86_64-dwarf5-based.elf")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	var enc encoder.Encoder
	enc.OnFunc = func(d encoder.FuncDecision) {
		if d.Reason != encoder.FuncKept {
			fmt.Printf("function %s: %s (rule %s)\n", d.Name, d.Reason, d.Reason.Rule())
		}
	}
	enc.OnVar = func(d encoder.VarDecision) {
		if d.Reason != encoder.VarKept {
			fmt.Printf("variable %s: %s (rule %s)\n", d.Name, d.Reason, d.Reason.Rule())
		}
	}
	if _, err := enc.Encode(context.Background(), f); err != nil {
		log.Fatal(err)
	}
	// Output:
	// function arch_probe_id: inconsistent prototype (rule consistent-prototype)
	// function compare: ambiguous address (rule unambiguous-address)
	// function probe: ambiguous address (rule unambiguous-address)
	// function rotate: ambiguous address (rule unambiguous-address)
	// function scaled: optimized parameters (rule optimized-parameters)
	// function send: uncertain parameter location (rule certain-location)
	// variable empty: has size 0 or over 4 GiB (rule sized-type)
	// variable inside: declared inside a function or namespace (rule top-level)
}

// The type of an error says what it is about.
func ExampleUnitError() {
	image, err := os.ReadFile("../corpus/images/gcc12-x86_64-dwarf5-based.elf")
	if err != nil {
		log.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(image), uint64(len(image)))
	if err != nil {
		log.Fatal(err)
	}
	image[f.Section(".debug_info").Off+4] = 9 // the DWARF version of the first unit
	_, err = encoder.Encode(context.Background(), f, encoder.Options{})
	var unit *encoder.UnitError
	switch {
	case errors.Is(err, encoder.ErrNoDWARF):
		fmt.Println("nothing to encode")
	case errors.As(err, &unit):
		fmt.Printf("unit %d, byte %#x of %s: %s\n", unit.Unit, unit.Offset, unit.Section, unit.Problem)
	}
	// Output:
	// unit 0, byte 0x4 of .debug_info: DWARF version 9 is not supported
}

// Options with the same meaning have the same key, which can be used to cache results.
func ExampleOptions_Key() {
	a := encoder.Options{UnitExclude: []string{"lib/", "drivers/staging/"}}
	b := encoder.Options{UnitExclude: []string{"drivers/staging/", "lib/"}, Features: feature.Default()}
	c := encoder.Options{Features: feature.None}
	fmt.Println(a.Key() == b.Key(), a.Key() == c.Key())
	// Output: true false
}
