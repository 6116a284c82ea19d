package input

import (
	"errors"
	"io"
	"io/fs"
	"time"
)

// An open file stays the same file when another one takes its place. But it can be written to while it is read, and then nobody knows
// what was read.

// ErrChanged says that a file was written to while it was read.
var ErrChanged = errors.New("the file was changed while it was read; run again when nobody writes to it")

// Unchanged is ErrChanged if the file was written to since it was opened, as far as its times tell.
func (f *File) Unchanged() error {
	if f.file == nil {
		return nil
	}
	st, err := f.file.Stat()
	if err != nil {
		return err
	}
	was, is := versionOf(f.Info), versionOf(st)
	if is.links != was.links { // the file got or lost a name, which changes its state and not its contents
		is.links, is.state = was.links, was.state
	}
	if is != was {
		return ErrChanged
	}
	return nil
}

// recent is more than the steps in which file systems count time.
const recent = 3 * time.Second

// Recent reports whether the file was written to so shortly before it was opened that its times may not tell of a further change.
func (f *File) Recent() bool {
	return f.Info != nil && f.opened.Sub(f.Info.ModTime()) < recent
}

// Raw are the bytes of the file as they are stored, compressed if it is, and how many there are.
func (f *File) Raw() (io.ReaderAt, int64) {
	if f.file == nil {
		return f.ReaderAt, f.Size
	}
	return f.file, f.Info.Size()
}

// A Version tells apart files, and states of a file. Equal ones stand for equal contents, unless the file is Recent.
type Version struct {
	device, inode   uint64
	links           uint64
	size            int64
	modified, state int64 // times, in nanoseconds
}

// Version is that of the file when it was opened. ok is false where nobody can tell.
func (f *File) Version() (v Version, ok bool) {
	if f.Info == nil {
		return Version{}, false
	}
	v = versionOf(f.Info)
	return v, v.inode != 0
}

func versionOf(st fs.FileInfo) Version {
	v := Version{size: st.Size(), modified: st.ModTime().UnixNano()}
	systemVersion(st, &v)
	return v
}
