package btf_test

import (
	"encoding/binary"
	"fmt"
	"log"
	"os"

	"github.com/btfbatch/btfbatch/encoder/btf"
)

// Raw BTF is read, and walked type by type.
func Example() {
	data, err := os.ReadFile("../../corpus/images/gcc12-s390x-dwarf5-based.btf.golden")
	if err != nil {
		log.Fatal(err)
	}
	o, err := btf.Parse(data, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(o.Order, "types:", o.Len())
	for id, r := range o.All() {
		if r.Kind() == btf.KindStruct && o.Name(r.Name()) == "wire" {
			fmt.Printf("[%d] %s %s: %d bytes, %d members\n", id, r.Kind(), o.Name(r.Name()), r.Size(), r.Vlen())
		}
	}
	// Output:
	// BigEndian types: 162
	// [34] STRUCT wire: 19 bytes, 6 members
}

// BTF is made record by record, and written.
func ExampleNew() {
	o := btf.New(binary.LittleEndian, nil)
	long := o.Append(o.Strings.Add([]byte("long")), btf.Info(btf.KindInt, 0, false), 8, btf.IntSigned<<24|64)
	o.Append(0, btf.Info(btf.KindPtr, 0, false), uint32(long))
	wire := o.AppendWire(nil)
	fmt.Println(len(wire), "bytes,", o.Len(), "types, the last is a", o.At(2).Kind())
	// Output:
	// 58 bytes, 2 types, the last is a PTR
}
