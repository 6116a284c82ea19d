// Package sides reads the BTF that commands show or compare, which may also be in a dump or a golden.
//
// Input: paths. Output: BTF objects. Never: the package checks no types and writes nothing.
package sides

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden"
)

// Object reads a BTF object from the file at path, which may also be a dense golden, and returns the size of a pointer in bytes, which is 0 if the file is not ELF. basePath is
// the file with its base. If it is empty, the distilled base of the ELF file is used, if there is one.
func Object(open btffile.Openers, path, basePath string) (o *btf.Object, ptrSize int, err error) {
	base, err := base(open.Base, basePath)
	if err != nil {
		return nil, 0, err
	}
	in, err := open.File(path, input.BTF, input.ELF, input.Dense)
	if err != nil {
		return nil, 0, input.Named(path, err)
	}
	defer in.Close()
	if in.Kind == input.Dense {
		o, err := denseObject(in, base)
		return o, 0, input.Named(path, err)
	}
	f, err := btffile.From(in)
	if err != nil {
		return nil, 0, input.Named(path, err)
	}
	o, err = f.Object(path, base)
	return o, f.PtrSize, err
}

// denseObject reads a dense golden.
func denseObject(in *input.File, base *btf.Object) (*btf.Object, error) {
	data, err := in.Bytes()
	if err == nil {
		err = in.Unchanged()
	}
	if err != nil {
		return nil, err
	}
	var s golden.Side
	err = s.Parse(data, base)
	return s.Object, err
}

func base(open btffile.Opener, path string) (*btf.Object, error) {
	if path == "" {
		return nil, nil
	}
	in, err := btffile.Open(open, path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	o, _, err := btffile.BaseOnceFrom(in, path)
	return o, err
}

// A Compared is one side of a comparison.
type Compared struct {
	golden.Side
	// Empty says that the file is empty. It may be the dump of split BTF without types, or the output of a program that failed.
	Empty bool
}

// ToCompare reads a BTF object as Object does, or from a raw dump, or from a golden of selected declarations.
func ToCompare(open btffile.Openers, path, basePath string) (*Compared, error) {
	return new(Bases).ToCompare(open, path, basePath)
}

// Bases reads bases, and keeps the last one for the next BTF object that has it.
type Bases struct {
	path string
	o    *btf.Object
}

// ToCompare reads a BTF object as the function ToCompare does.
func (b *Bases) ToCompare(open btffile.Openers, path, basePath string) (*Compared, error) {
	if basePath == "" || basePath != b.path {
		o, err := base(open.Base, basePath)
		if err != nil {
			return nil, err
		}
		b.path, b.o = basePath, o
	}
	return toCompare(open.File, path, b.o)
}

func toCompare(open btffile.Opener, path string, base *btf.Object) (*Compared, error) {
	want := []input.Kind{input.BTF, input.ELF, input.Dump, input.Dense, input.Selected}
	if base != nil {
		want = append(want, input.Empty)
	}
	in, err := open(path, want...)
	if err != nil {
		return nil, input.Named(path, err)
	}
	defer in.Close()
	c := &Compared{Empty: in.Kind == input.Empty}
	c.Name = path
	if in.Kind == input.BTF || in.Kind == input.ELF {
		f, err := btffile.From(in)
		if err != nil {
			return nil, input.Named(path, err)
		}
		c.Digest = digest(f.BTF)
		c.Object, err = f.Object(path, base)
		return c, err
	}
	text, err := in.Bytes()
	if err == nil {
		err = in.Unchanged()
	}
	if err == nil {
		c.Digest = digest(text)
		err = c.Parse(text, base)
	}
	return c, input.Named(path, err)
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}
