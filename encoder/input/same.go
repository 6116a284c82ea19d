package input

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// An open file stays the same file when another one is renamed into its place. But it can be written to while it is read, and then it
// is unknown which contents were read.

// ErrChanged says that a file was written to while it was read.
var ErrChanged = errors.New("the file was changed while it was read; run again when no program writes to it")

// Unchanged returns ErrChanged if the file was written to since it was opened, as far as its size and times show it.
func (f *File) Unchanged() error {
	if f.outer != nil && f.outer.Unchanged != nil {
		return f.outer.Unchanged()
	}
	if f.file == nil {
		return nil
	}
	return Changed(f.file, f.Info)
}

// Changed returns ErrChanged if an open file was written to since it had the given state, as far as its size and times show it.
func Changed(f *os.File, since fs.FileInfo) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	was, is := versionOf(since), versionOf(st)
	if is.links != was.links { // a link was added or removed, which changes the change time but not the contents
		is.links, is.state = was.links, was.state
	}
	if is != was {
		return ErrChanged
	}
	return nil
}

// recent is longer than the resolution of the times of file systems.
const recent = 3 * time.Second

// Recent reports whether the file was written to so shortly before it was opened that its times may not show another change.
func (f *File) Recent() bool {
	return f.Info != nil && f.opened.Sub(f.Info.ModTime()) < recent
}

// Raw returns the bytes of the file as they are stored, compressed if the file is, and their number.
func (f *File) Raw() (io.ReaderAt, int64) {
	if f.file == nil {
		return f.ReaderAt, f.Size
	}
	return f.file, f.Info.Size()
}

// A Version identifies a file and its state. Equal versions mean equal contents, unless the file is Recent.
type Version struct {
	device, inode   uint64
	links           uint64
	size            int64
	modified, state int64 // times, in nanoseconds
}

// Version returns the version of the file at the time it was opened. ok is false if the system does not provide one.
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

// VersionOf returns the version of the file that a FileInfo describes. ok is false if the system does not provide one.
func VersionOf(st fs.FileInfo) (v Version, ok bool) {
	v = versionOf(st)
	return v, v.inode != 0
}

// String is a text that is the same for equal versions, and different for others.
func (v Version) String() string {
	return fmt.Sprintf("%d.%d.%d.%d.%d.%d", v.device, v.inode, v.links, v.size, v.modified, v.state)
}

// Changed returns the time of the last change of the contents or, if the system provides it, of the name, the mode or the owner.
func (v Version) Changed() time.Time { return time.Unix(0, max(v.modified, v.state)) }
