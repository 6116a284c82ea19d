package codecs_test

import (
	"bytes"
	"fmt"
	"io"

	"github.com/btfbatch/btfbatch/encoder/input"
	_ "github.com/btfbatch/btfbatch/encoder/input/codecs"
)

// With the package, compressed data is packed and unpacked.
func Example() {
	var packed bytes.Buffer
	w, err := input.NewPacker(&packed, "zstd")
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err = io.WriteString(w, "version: 1\n"); err == nil {
		err = w.Close()
	}
	s, err2 := input.Decompress(&packed)
	if err != nil || err2 != nil {
		fmt.Println(err, err2)
		return
	}
	text, err := io.ReadAll(s)
	fmt.Printf("%s: %q %v\n", s.Packed, text, err)
	// Output: zstd: "version: 1\n" <nil>
}
