package embed

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// fits tells whether BTF can be that of an image at all.
func fits(o *btf.Object, from *btffile.File, image *elf.File) error {
	if from.Order != nil && from.Machine != image.Machine {
		return fmt.Errorf("it comes from a file for %s, and the image is for %s", from.Machine, image.Machine)
	}
	return SameMachine(o, image)
}

// SameMachine compares the byte order and the size of a pointer of BTF, as far as it tells, with those of an image.
func SameMachine(o *btf.Object, image *elf.File) error {
	if o.Order != image.Order {
		return fmt.Errorf("it is %s, and the image is %s", endian(o.Order), endian(image.Order))
	}
	if size := longSize(o); size != 0 && size != image.AddrSize() {
		return fmt.Errorf("its long has %d bytes, and pointers of the image have %d", size, image.AddrSize())
	}
	return nil
}

func endian(o binary.ByteOrder) string {
	if o == binary.ByteOrder(binary.BigEndian) {
		return "big-endian"
	}
	return "little-endian"
}

// longs are names of the type long, which has the size of a pointer on Linux.
var longs = [][]byte{[]byte("long unsigned int"), []byte("unsigned long"), []byte("long int"), []byte("long")}

// longSize is the size of long, or 0 where the BTF has none of its own.
func longSize(o *btf.Object) int {
	for id := o.First(); id < o.End(); id++ {
		r := o.At(id)
		if r.Kind() != btf.KindInt {
			continue
		}
		name, _ := o.Strings.Get(r.Name())
		for _, l := range longs {
			if bytes.Equal(name, l) {
				return int(r[2])
			}
		}
	}
	return 0
}

// doubts lists reasons to suspect that BTF is not that of an image. in is the file that the BTF comes from.
func doubts(o *btf.Object, in *input.File, image *elf.File) (list []string, err error) {
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	is, err := corpus.Identify(image)
	if err != nil {
		return nil, err
	}
	ofKernel := hasStruct(o, "task_struct")
	switch {
	case is.Kind == config.Kernel && o.Base != nil:
		add("the BTF is split, such as that of a module, and the image is a kernel")
	case is.Kind == config.Module && o.Base == nil:
		add("the BTF is whole, and the image is a module, whose BTF a kernel takes for split")
	case is.Kind == "" && ofKernel:
		add("the BTF is that of a kernel (it has struct task_struct), and the image is %s", is.What())
	case is.Kind == "":
		add("the image is %s", is.What())
	}
	funcs, missing, example, err := strangers(o, image)
	if err != nil {
		return nil, err
	}
	if missing > 0 {
		add("%d of %d functions of the BTF are not in the image, such as %s: it seems to be that of another one", missing, funcs, example)
	}
	if in.Kind != input.ELF {
		return list, nil
	}
	other, err := elf.FromInput(in)
	if err != nil {
		return nil, err
	}
	was, err := corpus.Identify(other)
	if err != nil {
		return nil, err
	}
	if is.Release != "" && was.Release != "" && is.Release != was.Release {
		add("the BTF comes from a file of release %s, and the image is of %s", was.Release, is.Release)
	}
	a, errA := image.BuildID()
	b, errB := other.BuildID()
	if errA == nil && errB == nil && a != nil && b != nil && !bytes.Equal(a, b) {
		add("the BTF comes from a file with the build id %x, and the image has %x", b, a)
	}
	return list, nil
}

func hasStruct(o *btf.Object, name string) bool {
	for id := o.First(); id < o.End(); id++ {
		if r := o.At(id); r.Kind() == btf.KindStruct && o.Name(r.Name()) == name {
			return true
		}
	}
	return false
}

// strangers counts the functions of the BTF, and those of them that an image has no symbol of. What the compiler appended to a
// symbol does not count. Where the image has no functions nothing can be told.
func strangers(o *btf.Object, image *elf.File) (funcs, missing int, example string, err error) {
	syms, err := image.Symbols()
	if err != nil || syms == nil {
		return 0, 0, "", err
	}
	const function = 2 // STT_FUNC
	known := map[string]bool{}
	err = syms.Each(func(_ int, s *elf.Symbol) {
		if s.Type() == function {
			name, _, _ := bytes.Cut(syms.Name(s), []byte("."))
			known[string(name)] = true
		}
	})
	if err != nil || len(known) == 0 {
		return 0, 0, "", err
	}
	for id := o.First(); id < o.End(); id++ {
		r := o.At(id)
		if r.Kind() != btf.KindFunc {
			continue
		}
		funcs++
		if name := o.Name(r.Name()); !known[name] {
			if missing++; missing == 1 {
				example = name
			}
		}
	}
	return funcs, missing, example, nil
}

// Fewer says that an image has more types in its .BTF than it is to get, or nothing.
func Fewer(image *elf.File, types int, base *btf.Object) string {
	s := image.Section(btf.SectionBTF)
	if s == nil || !s.HasData() || s.Size == 0 {
		return ""
	}
	data, err := image.Data(s)
	if err != nil || btf.IsSplit(data) != (base != nil) {
		return ""
	}
	was, err := btf.Parse(data, base)
	if err != nil || was.Len() <= types {
		return ""
	}
	return fmt.Sprintf("the image has %d types in its .BTF, and gets %d", was.Len(), types)
}
