package distill_test

import (
	"fmt"
	"log"
	"os"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/distill"
)

// The BTF of a module is cut off its kernel, and put onto a kernel again.
func Example() {
	object := func(path string, base *btf.Object) *btf.Object {
		data, err := os.ReadFile(path)
		if err != nil {
			log.Fatal(err)
		}
		o, err := btf.Parse(data, base)
		if err != nil {
			log.Fatal(err)
		}
		return o
	}
	kernel := object("../../corpus/images/gcc12-x86_64-dwarf5-based.btf.golden", nil)
	module := object("../../corpus/images/gcc12-x86_64-dwarf5-driver.split.golden", kernel)

	base, split, err := distill.Distill(module)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("kernel: %d types; distilled base: %d; module: %d\n", kernel.Len(), base.Len(), split.Len())

	again, err := distill.Relocate(split, base, kernel)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("continues the kernel:", again.Base == kernel, again.Len())
	// Output:
	// kernel: 165 types; distilled base: 15; module: 43
	// continues the kernel: true 43
}
