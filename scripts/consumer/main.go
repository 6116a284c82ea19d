// Command consumer is a user of btfbatch as a library: a module of its own, which sees nothing but public packages.
//
// Input: the name of an ELF image with DWARF, and that of the file to write. Output: the image's BTF, verified, and read back by the BTF reader of
// github.com/cilium/ebpf, which shares no code with btfbatch; a line for each kind of type says how many both have. Never: it does not
// reach into internal packages, which the compiler would refuse.
//
//	scripts/consumer.sh    builds it against the checkout, and runs it
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	ebpf "github.com/cilium/ebpf/btf"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/verify"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: consumer IMAGE OUT")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "consumer:", err)
		os.Exit(1)
	}
}

// run encodes an image, and compares what it has encoded with what the other reader finds.
func run(ctx context.Context, image, out string) error {
	o, err := encode(ctx, image, out)
	if err != nil {
		return fmt.Errorf("%s: %w", image, err)
	}
	spec, err := ebpf.LoadSpec(out)
	if err != nil {
		return fmt.Errorf("%s: read back: %w", out, err)
	}
	theirs, err := count(spec)
	if err != nil {
		return fmt.Errorf("%s: read back: %w", out, err)
	}
	ours := map[string]int{}
	for _, r := range o.All() {
		ours[kind(r)]++
	}
	total := 0
	for k := btf.KindInt; k < btf.NumKinds; k++ {
		name := k.String()
		if k != btf.KindDeclTag && ours[name] != theirs[name] { // the other reader hangs tags on what they are of
			return fmt.Errorf("%s: wrote %d types of kind %s, and %d are read", out, ours[name], name, theirs[name])
		}
		if n := ours[name]; n > 0 {
			fmt.Printf("%-10s %6d\n", name, n)
			total += n
		}
	}
	fmt.Printf("%-10s %6d\n", "all", total)
	if total != o.Len() {
		return fmt.Errorf("%s: %d types are of no kind that both know", out, o.Len()-total)
	}
	return nil
}

// encode writes the BTF of an image that the newest kernel accepts.
func encode(ctx context.Context, image, out string) (*btf.Object, error) {
	f, err := elf.Open(image)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	res, err := encoder.Encode(ctx, f, encoder.Options{})
	if err != nil {
		var unit *encoder.UnitError
		if errors.As(err, &unit) {
			return nil, fmt.Errorf("unit %d: %w", unit.Unit, err)
		}
		return nil, err
	}
	s, err := res.Sections()
	if err != nil {
		return nil, err
	}
	if err := verify.Check(s.BTF, verify.Options{Path: verify.Vmlinux, Order: f.Order, PtrSize: f.AddrSize()}); err != nil {
		return nil, err
	}
	return s.Object, os.WriteFile(out, s.BTF, 0o644)
}

// kind is the kind of a type, as both readers tell it: a 64-bit enum is an enum.
func kind(r btf.Record) string {
	if r.Kind() == btf.KindEnum64 {
		return btf.KindEnum.String()
	}
	return r.Kind().String()
}

// count counts the types of the other reader by kind.
func count(spec *ebpf.Spec) (map[string]int, error) {
	n := map[string]int{}
	for t, err := range spec.All() {
		if err != nil {
			return nil, err
		}
		name := strings.ToUpper(strings.TrimPrefix(fmt.Sprintf("%T", t), "*btf."))
		n[names[name]]++
	}
	return n, nil
}

// names are our kinds by the names of the other reader's types.
var names = map[string]string{
	"INT": "INT", "POINTER": "PTR", "ARRAY": "ARRAY", "STRUCT": "STRUCT", "UNION": "UNION", "ENUM": "ENUM", "FWD": "FWD", "TYPEDEF": "TYPEDEF",
	"VOLATILE": "VOLATILE", "CONST": "CONST", "RESTRICT": "RESTRICT", "FUNC": "FUNC", "FUNCPROTO": "FUNC_PROTO", "VAR": "VAR",
	"DATASEC": "DATASEC", "FLOAT": "FLOAT", "TYPETAG": "TYPE_TAG",
}
