package embed

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// fits returns an error if BTF cannot be that of an image.
func fits(o *btf.Object, from *btffile.File, image *elf.File) error {
	if from.Order != nil && from.Machine != image.Machine {
		return fmt.Errorf("the BTF is from an ELF file for %s, but the image is for %s", from.Machine, image.Machine)
	}
	return SameMachine(o, image)
}

// SameMachine returns an error if the byte order of BTF, or the size of its type long, does not fit an image.
func SameMachine(o *btf.Object, image *elf.File) error {
	if o.Order != image.Order {
		return fmt.Errorf("the BTF is %s, but the image is %s", endian(o.Order), endian(image.Order))
	}
	if size := longSize(o); size != 0 && size != image.AddrSize() {
		return fmt.Errorf("the type long of the BTF has %d bytes, but pointers of the image have %d", size, image.AddrSize())
	}
	return nil
}

func endian(o binary.ByteOrder) string {
	if o == binary.ByteOrder(binary.BigEndian) {
		return "big-endian"
	}
	return "little-endian"
}

// longs lists the names of the type long, which has the size of a pointer on Linux.
var longs = [][]byte{[]byte("long unsigned int"), []byte("unsigned long"), []byte("long int"), []byte("long")}

// longSize returns the size of the type long, or 0 if the BTF, without its base, has none.
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

// doubts lists reasons to suspect that the BTF belongs to another image. in is the file that the BTF was read from.
func doubts(o *btf.Object, in *input.File, image *elf.File) (list []string, err error) {
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	is, err := corpus.Identify(image)
	if err != nil {
		return nil, err
	}
	ofKernel := hasStruct(o, "task_struct")
	switch {
	case is.Kind == config.Kernel && o.Base != nil:
		add("the BTF is split, like that of a module, but the image is a kernel")
	case is.Kind == config.Module && o.Base == nil:
		add("the BTF is not split, but the image is a module, and kernels expect the BTF of a module to be split")
	case is.Kind == "" && ofKernel:
		add("the BTF is that of a kernel (it has struct task_struct), but the image is %s", is.What())
	case is.Kind == "":
		add("the image is %s", is.What())
	}
	funcs, missing, example, err := strangers(o, image)
	if err != nil {
		return nil, err
	}
	if missing > 0 {
		add("%d of %d functions of the BTF are not in the image, such as %s: the BTF seems to be that of another image", missing, funcs, example)
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
		add("the BTF is from a file of release %s, but the image is of release %s", was.Release, is.Release)
	}
	a, errA := image.BuildID()
	b, errB := other.BuildID()
	if errA == nil && errB == nil && a != nil && b != nil && !bytes.Equal(a, b) {
		add("the BTF is from a file with build id %x, but the build id of the image is %x", b, a)
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

// strangers counts the functions of the BTF, and those for which the image has no symbol, and returns the name of one of these. Suffixes
// that the compiler appends to symbols are ignored. If the image has no symbols of functions, all results are zero.
//
// Nearly all functions have a symbol whose name is found among the strings of the BTF, so the names of the symbols are not stored.
func strangers(o *btf.Object, image *elf.File) (funcs, missing int, example string, err error) {
	syms, err := image.Symbols()
	if err != nil || syms == nil {
		return 0, 0, "", err
	}
	has, found := false, make([]uint64, o.Strings.End()/64+1) // by offset of a name, a bit each
	if err = symbolNames(syms, func(name []byte) {
		has = true
		if off, ok := o.Strings.Find(name); ok {
			found[off/64] |= 1 << (off % 64)
		}
	}); err != nil || !has {
		return 0, 0, "", err
	}
	var lacking []string             // names that are not found at their offset, since the strings may have them twice, or as the end of others
	foreign := make(map[string]bool) // those that no symbol has
	for id := o.First(); id < o.End(); id++ {
		r := o.At(id)
		if r.Kind() != btf.KindFunc {
			continue
		}
		funcs++
		if name := r.Name(); int(name/64) >= len(found) || found[name/64]>>(name%64)&1 == 0 {
			lacking = append(lacking, o.Name(name))
			foreign[lacking[len(lacking)-1]] = true
		}
	}
	if len(lacking) == 0 {
		return funcs, 0, "", nil
	}
	if err = symbolNames(syms, func(name []byte) { delete(foreign, string(name)) }); err != nil {
		return 0, 0, "", err
	}
	lacking = slices.DeleteFunc(lacking, func(name string) bool { return !foreign[name] })
	if len(lacking) > 0 {
		example = lacking[0]
	}
	return funcs, len(lacking), example, nil
}

// symbolNames calls do with the names of the functions among the symbols, without suffixes. do must not keep them.
func symbolNames(syms *elf.Symbols, do func(name []byte)) error {
	const function = 2 // STT_FUNC
	return syms.Each(func(_ int, s *elf.Symbol) {
		if s.Type() == function {
			name, _, _ := bytes.Cut(syms.Name(s), []byte("."))
			do(name)
		}
	})
}

// Fewer returns a sentence if the .BTF that the image has contains more than this number of types, and otherwise "".
func Fewer(image *elf.File, types int, base *btf.Object) string {
	s := image.Section(btf.SectionBTF)
	if s == nil || !s.HasData() || s.Size == 0 {
		return ""
	}
	if was := count(image, s, base); was > types {
		return fmt.Sprintf("the .BTF of the image has %d types, and is replaced with one that has %d", was, types)
	}
	return ""
}

// count returns the number of types in a section of an image, or 0 if they cannot be read. If the image changes meanwhile, elf.File.Embed reports it.
func count(image *elf.File, s *elf.Section, base *btf.Object) (types int) {
	if err := image.Guarded(func() error {
		data, err := image.Mapped(s)
		if err != nil || btf.IsSplit(data) != (base != nil) {
			return err
		}
		var was *btf.Object
		if base == nil {
			was, err = btf.Skim(data)
		} else {
			was, err = btf.Parse(data, base)
		}
		if err == nil {
			types = was.Len()
		}
		return err
	}); err != nil {
		return 0
	}
	return types
}
