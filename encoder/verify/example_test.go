package verify_test

import (
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/btfbatch/btfbatch/encoder/verify"
)

// The BTF of a kernel, as kernels of two generations read it.
func ExampleCheck() {
	data, err := os.ReadFile("../../corpus/images/gcc12-s390x-dwarf5-based.btf.golden")
	if err != nil {
		log.Fatal(err)
	}
	for _, k := range []verify.Kernel{verify.Newest, verify.V5_10} {
		err := verify.Check(data, verify.Options{Kernel: k, Path: verify.Vmlinux})
		var no *verify.Refusal
		switch {
		case err == nil:
			fmt.Printf("%s accepts it\n", k)
		case errors.As(err, &no):
			fmt.Printf("%s refuses it: type %d, %s %s: %s\n", k, no.TypeID, no.Kind, no.Name, no.Phrase)
			fmt.Println("leave out:", no.LeaveOut)
		default:
			log.Fatal(err)
		}
	}
	// Output:
	// 7.2 accepts it
	// 5.10 refuses it: type 24, ENUM error: Invalid btf_info kind_flag
	// leave out: float,decl_tag,type_tag,enum64,decl_tag_kfuncs
}
