// Package debugfile finds the DWARF of an image that is in other files: the separate debug file, by build id or .gnu_debuglink, and
// the supplementary file that dwz creates.
//
// Input: an open image. Output: another open file. The package searches the folder of the image, its subfolders .debug and .dwz, and
// the given roots. Never: it does not use the network, and does not accept a file with a different build id or checksum.
package debugfile

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// Roots are the folders where distributions install debug files.
var Roots = []string{"/usr/lib/debug"}

// ErrNotFound is returned if a file that an image names is not found.
var ErrNotFound = errors.New("debug file not found")

// A place is a possible path of the wanted file, with a function that checks the file.
type place struct {
	path  string
	check func(path string, f *elf.File) error
}

// Debug opens the separate debug file of an image. The result is nil if the image names none. The error wraps ErrNotFound if the file
// is not found.
func Debug(f *elf.File, roots []string) (*elf.File, error) {
	var places []place
	id, err := f.BuildID()
	if err != nil {
		return nil, err
	}
	if len(id) > 1 {
		for _, root := range roots {
			places = append(places, place{underBuildID(root, id), hasBuildID(id)})
		}
	}
	link, err := debugLink(f)
	if err != nil {
		return nil, err
	}
	if link != nil && f.Path != "" {
		dir := filepath.Dir(f.Path)
		paths := []string{filepath.Join(dir, link.name), filepath.Join(dir, ".debug", link.name)}
		if abs, err := filepath.Abs(dir); err == nil {
			for _, root := range roots {
				paths = append(paths, filepath.Join(root, abs, link.name))
			}
		}
		for _, p := range paths {
			if !sameFile(p, f.Path) {
				places = append(places, place{p, link.matches})
			}
		}
	}
	return first(places)
}

// Link returns the name of the debug file in the .gnu_debuglink of an image, or "" if it names none.
func Link(f *elf.File) string {
	if link, err := debugLink(f); err == nil && link != nil {
		return link.name
	}
	return ""
}

// Supplementary is like Debug for the file named by .gnu_debugaltlink or .debug_sup.
func Supplementary(f *elf.File, roots []string) (*elf.File, error) {
	name, id, err := altLink(f)
	if name == "" || err != nil {
		return nil, err
	}
	check := func(string, *elf.File) error { return nil }
	if len(id) > 0 {
		check = isSupplementary(id)
	}
	var places []place
	add := func(path string) { places = append(places, place{path, check}) }
	base := filepath.Base(name)
	if filepath.IsAbs(name) {
		add(name)
	}
	if f.Path != "" {
		dir := filepath.Dir(f.Path)
		if !filepath.IsAbs(name) {
			add(filepath.Join(dir, name))
		}
		add(filepath.Join(dir, base))
		add(filepath.Join(dir, ".dwz", base))
	}
	for _, root := range roots {
		if len(id) > 1 {
			add(underBuildID(root, id))
		}
		add(filepath.Join(root, ".dwz", base))
	}
	return first(places)
}

// first opens the first place that holds the wanted file. It returns nil if there are no places.
func first(places []place) (*elf.File, error) {
	if len(places) == 0 {
		return nil, nil
	}
	var tried []string
	for _, p := range places {
		f, err := open(p.path)
		if err == nil {
			if err = p.check(p.path, f); err == nil {
				return f, nil
			}
			f.Close()
			tried = append(tried, fmt.Sprintf("%s (%v)", p.path, err))
			continue
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", p.path, err)
		}
		tried = append(tried, p.path)
	}
	return nil, fmt.Errorf("%w: looked for %s", ErrNotFound, strings.Join(tried, ", "))
}

// open opens an image that is a regular file. An image may name any path, and reading a pipe might never end.
func open(path string) (*elf.File, error) {
	if _, err := input.Regular(path); err != nil {
		return nil, err
	}
	return elf.Open(path)
}

func underBuildID(root string, id []byte) string {
	s := hex.EncodeToString(id)
	return filepath.Join(root, ".build-id", s[:2], s[2:]+".debug")
}

func hasBuildID(want []byte) func(string, *elf.File) error {
	return func(_ string, f *elf.File) error {
		id, err := f.BuildID()
		if err != nil {
			return err
		}
		if !bytes.Equal(id, want) {
			return fmt.Errorf("build id is %x, want %x", id, want)
		}
		return nil
	}
}

// isSupplementary returns a check that compares the id with the .debug_sup and with the build id of a file.
func isSupplementary(want []byte) func(string, *elf.File) error {
	byBuildID := hasBuildID(want)
	return func(path string, f *elf.File) error {
		if _, id, err := readSup(f); err == nil && bytes.Equal(id, want) {
			return nil
		}
		return byBuildID(path, f)
	}
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// A crcLink is the content of .gnu_debuglink: the file's name and the checksum of its bytes.
type crcLink struct {
	name string
	crc  uint32
}

func debugLink(f *elf.File) (*crcLink, error) {
	b, err := contents(f, ".gnu_debuglink")
	if b == nil || err != nil {
		return nil, err
	}
	name, rest, ok := bytes.Cut(b, []byte{0})
	pad := (4 - (len(name)+1)%4) % 4
	if !ok || len(name) == 0 || len(rest) < pad+4 {
		return nil, &elf.FormatError{Section: ".gnu_debuglink", Problem: "name and checksum are cut short"}
	}
	return &crcLink{filepath.Base(string(name)), f.Order.Uint32(rest[pad:])}, nil
}

// matches compares the checksum. The checksum covers the stored bytes, so the file is not opened with package input, which would decompress
// it.
func (l *crcLink) matches(path string, _ *elf.File) error {
	r, err := os.Open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	st, err := r.Stat()
	if err != nil {
		return err
	}
	if stored := input.StoredSize(st); uint64(st.Size()) > input.Most(stored) {
		return fmt.Errorf("size of %d bytes is implausible: only %d bytes of the file are stored", st.Size(), stored)
	}
	sum := crc32.NewIEEE()
	if _, err := io.Copy(sum, r); err != nil {
		return err
	}
	if got := sum.Sum32(); got != l.crc {
		return fmt.Errorf("checksum is %08x, want %08x", got, l.crc)
	}
	return nil
}

// altLink returns the name and the build id of the supplementary file, from .gnu_debugaltlink (name, NUL, id) or .debug_sup.
func altLink(f *elf.File) (name string, id []byte, err error) {
	b, err := contents(f, ".gnu_debugaltlink")
	if err != nil {
		return "", nil, err
	}
	if b == nil {
		return readSup(f)
	}
	n, id, ok := bytes.Cut(b, []byte{0})
	if !ok || len(n) == 0 {
		return "", nil, &elf.FormatError{Section: ".gnu_debugaltlink", Problem: "name is cut short"}
	}
	return string(n), id, nil
}

// readSup reads .debug_sup (DWARF 5, section 7.3.6): version, a byte that is 1 in the supplementary file itself, its name, which
// is empty there, the length of its checksum, and the checksum.
func readSup(f *elf.File) (name string, id []byte, err error) {
	b, err := contents(f, ".debug_sup")
	if b == nil || err != nil {
		return "", nil, err
	}
	n, rest, ok := bytes.Cut(b[min(3, len(b)):], []byte{0})
	if !ok || len(rest) == 0 || rest[0] >= 0x80 || int(rest[0]) > len(rest)-1 {
		return "", nil, &elf.FormatError{Section: ".debug_sup", Problem: "name or checksum is cut short"}
	}
	return string(n), rest[1 : 1+rest[0]], nil
}

// contents returns the bytes of a section, or nil if it does not exist.
func contents(f *elf.File, name string) ([]byte, error) {
	s := f.Section(name)
	if s == nil || !s.HasData() {
		return nil, nil
	}
	return f.Data(s)
}
