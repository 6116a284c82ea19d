package elf

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"
)

// An EmbedSection is a section that an image shall have: of that name, with that content.
type EmbedSection struct {
	Name string
	Data []byte
}

// ErrNoRoom says that a section lies in a segment, where the linker reserved less room than the new content needs.
var ErrNoRoom = errors.New("the new content does not fit the room that the linker reserved")

// Embed writes to out a copy of the ELF image in that has the given sections; in and out may be the same file. out appears whole
// or not at all, with the mode of in; a file that is replaced by itself keeps its owner, and a link to it is followed.
//
// Whatever the image had stays at its offset: segments, sections, their indices, the program headers. New content, the table of
// section names and the table of section headers go to the end of the file. A section that exists is replaced where it lies when
// the new content fits there, the rest of it filled with zeros. When it does not fit, it moves to the end, unless a program or
// kernel would look for it in a segment: that is ErrNoRoom. A new section is PROGBITS, without flags, aligned to 1.
func Embed(in, out string, sections []EmbedSection) error {
	src, err := os.Open(in)
	if err != nil {
		return err
	}
	defer src.Close()
	st, err := src.Stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", in)
	}
	f, err := NewFile(src, uint64(st.Size()))
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	c, err := f.embed(sections)
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	return c.write(src, st, out)
}

// Reserved is the size of a section that lies in a segment of a linked image, as .BTF does in a kernel. The image may know where
// it ends, so content that shall replace it should be made just as long. ok is false for other sections and where there is none.
func (f *File) Reserved(name string) (size uint64, ok bool) {
	s := f.Section(name)
	if s == nil || !f.fixed(s) {
		return 0, false
	}
	return s.Size, true
}

// fixed tells whether a section is found by its address, so that it cannot move.
func (f *File) fixed(s *Section) bool { return s.Flags&elf.SHF_ALLOC != 0 && f.Type != elf.ET_REL }

// A change is what embedding does to a file: its first keep bytes stay but for the edits, and the tail follows.
type change struct {
	keep  uint64
	edits []edit
	tail  []byte
}

// An edit puts data at an offset of the file.
type edit struct {
	off  uint64
	data []byte
}

// write makes the changed copy of src beside out and puts it in its place.
func (c *change) write(src *os.File, st fs.FileInfo, out string) error {
	if found, err := filepath.EvalSymlinks(out); err == nil {
		out = found
	}
	old, err := os.Stat(out)
	if err == nil && !old.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", out)
	}
	dst, err := renameio.NewPendingFile(out, renameio.WithTempDir(filepath.Dir(out)), renameio.WithStaticPermissions(0o600))
	if err != nil {
		return err
	}
	defer dst.Cleanup()
	if err := c.copyTo(dst.File, src); err != nil {
		return fmt.Errorf("%s: %w", out, err)
	}
	if old != nil && os.SameFile(st, old) {
		if err := keepOwner(dst.File, st); err != nil {
			return err
		}
	}
	// After the owner, because a change of owner takes the set-user-id bits away.
	if err := dst.Chmod(st.Mode()); err != nil {
		return err
	}
	return dst.CloseAtomicallyReplace()
}

func (c *change) copyTo(dst, src *os.File) error {
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.CopyN(dst, src, int64(c.keep)); err != nil {
		return err
	}
	if _, err := dst.Write(c.tail); err != nil {
		return err
	}
	for _, e := range c.edits {
		if _, err := dst.WriteAt(e.data, int64(e.off)); err != nil {
			return err
		}
	}
	return nil
}

// keepOwner gives a file the owner and group of another. A group that may not be given away is an error as well: the file would
// no longer be the same to those who use it.
func keepOwner(f *os.File, like fs.FileInfo) error {
	want, ok := like.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if have, ok := st.Sys().(*syscall.Stat_t); ok && have.Uid == want.Uid && have.Gid == want.Gid {
		return nil
	}
	return f.Chown(int(want.Uid), int(want.Gid))
}
