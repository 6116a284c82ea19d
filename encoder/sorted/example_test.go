package sorted_test

import (
	"fmt"
	"log"
	"os"

	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/sorted"
)

func ExampleByName() {
	data, err := os.ReadFile("../../corpus/images/gcc12-s390x-dwarf5-based.btf.golden")
	if err != nil {
		log.Fatal(err)
	}
	o, err := btf.Parse(data, nil)
	if err != nil {
		log.Fatal(err)
	}
	s := sorted.ByName(o)
	fmt.Println(o.Len() == s.Len(), sorted.IsByName(o), sorted.IsByName(s))
	for id := btf.ID(s.Len()); id > btf.ID(s.Len())-3; id-- {
		fmt.Println(s.At(id).Kind(), s.Name(s.At(id).Name()))
	}
	// Output:
	// true false true
	// STRUCT wire
	// ENUM64 wide_signed
	// ENUM64 wide
}
