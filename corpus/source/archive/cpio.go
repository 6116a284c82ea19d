package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// A cpioReader reads archives in the formats of RPM: "new ASCII" (070701, 070702), and the stripped form for large files (07070X), whose entries
// refer to the list of files in the package's header.
type cpioReader struct {
	s      *stream
	files  []Listed
	inodes map[uint64]string // names without contents, by inode: hard links to a later entry
	left   int64             // bytes of the contents that were not read
	pad    int64             // bytes after them
}

const (
	cpioHeader   = 110
	cpioStripped = 14
	maxCpioName  = 4096
)

const (
	modeType    = 0o170000
	modeFolder  = 0o040000
	modeFile    = 0o100000
	modeSymlink = 0o120000
)

func (c *cpioReader) next() (e Entry, err error) {
	if err := c.s.skip(c.left + c.pad); err != nil {
		return e, err
	}
	c.left, c.pad = 0, 0
	head := make([]byte, cpioHeader)
	if err := c.full(head[:6]); err != nil {
		return e, err
	}
	switch string(head[:6]) {
	case "07070X":
		return c.stripped(head)
	case "070701", "070702":
	default:
		return e, errors.New("the header of an entry is damaged")
	}
	if err := c.full(head[6:]); err != nil {
		return e, err
	}
	var v [13]uint64 // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
	for i := range v {
		if v[i], err = strconv.ParseUint(string(head[6+8*i:14+8*i]), 16, 32); err != nil {
			return e, errors.New("the header of an entry is damaged")
		}
	}
	mode, size, n := v[1], int64(v[6]), int64(v[11])
	if n < 2 || n > maxCpioName {
		return e, fmt.Errorf("the name of an entry has %d bytes", n)
	}
	name := make([]byte, n+padding(cpioHeader+n))
	if err := c.full(name); err != nil {
		return e, err
	}
	name, ended := bytes.CutSuffix(name[:n], []byte{0})
	if !ended {
		return e, errors.New("the name of an entry does not end")
	}
	if string(name) == "TRAILER!!!" {
		return e, io.EOF
	}
	e = Entry{Stored: fromRoot(string(name)), Size: size, At: c.s.offset()}
	c.left, c.pad = size, padding(size)
	if e.Kind = KindOf(uint32(mode)); e.Kind == Symlink {
		return e, c.target(&e)
	}
	if e.Kind == File && v[4] > 1 {
		c.hardLink(&e, v[0])
	}
	return e, nil
}

// KindOf returns the kind of a file by its Unix mode.
func KindOf(mode uint32) Kind {
	switch mode & modeType {
	case modeFile:
		return File
	case modeFolder:
		return Folder
	case modeSymlink:
		return Symlink
	}
	return Special
}

// hardLink links the names of one file. RPM stores the contents with the last of them.
func (c *cpioReader) hardLink(e *Entry, inode uint64) {
	first, ok := c.inodes[inode]
	switch {
	case !ok:
		c.inodes[inode] = e.Stored
	case e.Size == 0:
		e.Kind, e.Target = HardLink, first
	}
}

// stripped reads an entry of the form 07070X. Its name and size are in the list of files.
func (c *cpioReader) stripped(head []byte) (e Entry, err error) {
	if err := c.full(head[6:cpioStripped]); err != nil {
		return e, err
	}
	i, err := strconv.ParseUint(string(head[6:cpioStripped]), 16, 32)
	if err != nil || i >= uint64(len(c.files)) {
		return e, errors.New("the header of an entry does not refer to a file of the package")
	}
	if err := c.s.skip(padding(cpioStripped)); err != nil {
		return e, err
	}
	f := &c.files[i]
	e = Entry{Stored: f.Name, Kind: f.Kind, Size: max(f.Size, 0), At: c.s.offset()}
	if f.Kind != File && f.Kind != Symlink {
		e.Size = 0
	}
	c.left, c.pad = e.Size, padding(e.Size)
	if e.Kind == Symlink {
		return e, c.target(&e)
	}
	return e, nil
}

// target reads the target of a symbolic link, which is its contents.
func (c *cpioReader) target(e *Entry) error {
	if e.Size > maxCpioName {
		return fmt.Errorf("the target of the link has %d bytes", e.Size)
	}
	b, err := io.ReadAll(c)
	e.Target = string(b)
	if err == nil && int64(len(b)) < e.Size {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// Read reads contents.
func (c *cpioReader) Read(b []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n, err := c.s.Read(b[:min(int64(len(b)), c.left)])
	if c.left -= int64(n); c.left > 0 && errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	} else if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

func (c *cpioReader) full(b []byte) error {
	_, err := io.ReadFull(c.s, b)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// padding returns the number of bytes that follow n bytes up to a multiple of four.
func padding(n int64) int64 { return -n & 3 }

// fromRoot removes the dot that names in RPM begin with.
func fromRoot(name string) string {
	if len(name) > 2 && name[:2] == "./" {
		return name[2:]
	}
	return name
}
