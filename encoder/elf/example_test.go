package elf_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/btfbatch/btfbatch/encoder/elf"
)

// An image has a machine, sections and symbols.
func ExampleOpen() {
	f, err := elf.Open("../../corpus/images/gcc12-s390x-dwarf5-based.elf")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	fmt.Println(f.Machine, f.Order, f.AddrSize())
	data, err := f.Data(f.Section(".debug_info"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(data), "bytes of .debug_info")
	syms, err := f.Symbols()
	if err != nil {
		log.Fatal(err)
	}
	if s, ok, err := syms.Named("panic"); err == nil && ok {
		fmt.Println("panic:", s.Type(), s.Size, "bytes in", f.Sections[s.Section].Name)
	}
	// Output:
	// EM_S390 BigEndian 8
	// 6300 bytes of .debug_info
	// panic: STT_FUNC 16 bytes in .text
}

// A copy of an image gets a section.
func ExampleFile_Embed() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	f, err := elf.Open("../../corpus/images/gcc12-s390x-dwarf5-based.elf")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	out := filepath.Join(dir, "vmlinux")
	if err := f.Embed([]elf.EmbedSection{{Name: ".BTF", Data: []byte("types")}}, elf.NewCopy(out)); err != nil {
		log.Fatal(err)
	}
	embedded, err := elf.Open(out)
	if err != nil {
		log.Fatal(err)
	}
	defer embedded.Close()
	data, err := embedded.Data(embedded.Section(".BTF"))
	fmt.Printf("%s %v\n", data, err)
	// Output: types <nil>
}
