// Package rpm reads the headers of RPM packages.
//
// Input: the bytes of a package, at any offset or in order. Output: its name and version, the list of its files, and the place of its archive.
// Never: the package opens no files, reads nothing of the archive, checks no signatures, and trusts no stated size before it has compared it
// with the stored data.
//
// The format is that of RPM 3 and 4: a lead of 96 bytes, the header with signatures, the header of the package, and a cpio archive that is
// compressed. See https://rpm-software-management.github.io/rpm/manual/format_v4.html.
package rpm

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/btfbatch/btfbatch/corpus/source/archive"
)

const (
	leadSize    = 96
	leadMagic   = "\xed\xab\xee\xdb"
	headerMagic = "\x8e\xad\xe8\x01"
	maxTags     = 1 << 16
	maxHeader   = 256 << 20 // bytes of a header's data
	maxFiles    = 1 << 20
)

// The tags that are read.
const (
	tagName          = 1000
	tagVersion       = 1001
	tagRelease       = 1002
	tagEpoch         = 1003
	tagArch          = 1022
	tagFileSizes     = 1028
	tagFileModes     = 1030
	tagFileLinkTos   = 1036
	tagFileFlags     = 1037
	tagDirIndexes    = 1116
	tagBaseNames     = 1117
	tagDirNames      = 1118
	tagPayloadFormat = 1124
	tagCompressor    = 1125
	tagLongFileSizes = 5008
)

const flagGhost = 1 << 6 // the file is not in the archive

// Open reads the headers of the RPM package in r, which has size bytes. Errors about the format are *archive.FormatError.
func Open(ctx context.Context, r io.ReaderAt, size int64) (*archive.Package, error) {
	f := &front{ctx: ctx, r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), 64<<10)}
	p, err := f.read()
	if err != nil {
		return nil, err
	}
	p.Payload.At, p.Payload.Size = r, size-f.at
	return p, nil
}

// OpenStream reads the headers of an RPM package that is read in order. The payload continues the stream.
func OpenStream(ctx context.Context, r io.Reader) (*archive.Package, error) {
	f := &front{ctx: ctx, r: bufio.NewReaderSize(r, 64<<10)}
	p, err := f.read()
	if err != nil {
		return nil, err
	}
	p.Payload.Stream, p.Payload.Size = f.r, -1
	return p, nil
}

// A front reads the beginning of a package in order.
type front struct {
	ctx context.Context //nolint:containedctx // of the call of Open
	r   *bufio.Reader
	at  int64
}

// bytes reads n bytes. Memory grows as they come.
func (f *front) bytes(n int64) ([]byte, error) {
	if err := f.ctx.Err(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	m, err := io.CopyN(&b, f.r, n)
	f.at += m
	if errors.Is(err, io.EOF) {
		return nil, archive.Damage(f.at, "the package is truncated")
	}
	return b.Bytes(), err
}

func (f *front) read() (*archive.Package, error) {
	lead, err := f.bytes(leadSize)
	if err != nil {
		return nil, err
	}
	if string(lead[:4]) != leadMagic {
		return nil, archive.Damage(0, "not an RPM package")
	}
	if lead[4] < 3 || lead[4] > 4 {
		return nil, archive.Damage(4, "the format of the package is version %d, and 3 and 4 are supported", lead[4])
	}
	if _, err := f.header(); err != nil { // signatures
		return nil, err
	}
	if _, err := f.bytes(-f.at & 7); err != nil {
		return nil, err
	}
	at := f.at
	h, err := f.header()
	if err != nil {
		return nil, err
	}
	if format := h.text(tagPayloadFormat); format != "" && format != "cpio" {
		return nil, archive.Damage(at, "the archive of the package is in the format %s; only cpio is supported", archive.Printable(format))
	}
	if c := h.text(tagCompressor); c == "lzma" {
		return nil, archive.Damage(at, "the archive of the package is compressed by lzma; xz, zstd, gzip and bzip2 are supported")
	}
	files, err := h.files()
	if err != nil {
		return nil, archive.Damage(at, "%v", err)
	}
	version := h.text(tagVersion)
	if r := h.text(tagRelease); r != "" {
		version += "-" + r
	}
	if epoch := h.numbers(tagEpoch); len(epoch) == 1 {
		version = strconv.FormatUint(epoch[0], 10) + ":" + version
	}
	p := &archive.Package{
		Info:    archive.Info{Name: h.text(tagName), Version: version, Arch: h.text(tagArch)},
		Payload: archive.Payload{Name: "archive", Format: archive.Cpio, Off: f.at, Files: files},
	}
	for i := range files {
		if files[i].Size != ghost {
			p.Files = append(p.Files, files[i])
		}
	}
	return p, nil
}

// A header has the data of each tag.
type header map[uint32]value

type value struct {
	kind, count uint32
	data        []byte // from the beginning of the value to the end of the header
}

// The types of values.
const (
	typeInt16       = 3
	typeInt32       = 4
	typeInt64       = 5
	typeString      = 6
	typeStringArray = 8
	typeI18N        = 9
)

// header reads a header: its magic number, the number of tags and of bytes of data, the tags, and the data. Numbers are big-endian.
func (f *front) header() (header, error) {
	at := f.at
	start, err := f.bytes(16)
	if err != nil {
		return nil, err
	}
	n, size := binary.BigEndian.Uint32(start[8:]), binary.BigEndian.Uint32(start[12:])
	switch {
	case string(start[:4]) != headerMagic:
		return nil, archive.Damage(at, "a header of the package is damaged")
	case n > maxTags, size > maxHeader:
		return nil, archive.Damage(at, "a header of the package states %d tags and %d bytes, too many", n, size)
	}
	index, err := f.bytes(16 * int64(n))
	if err != nil {
		return nil, err
	}
	data, err := f.bytes(int64(size))
	if err != nil {
		return nil, err
	}
	h := header{}
	for i := range int(n) {
		e := index[16*i:]
		off := binary.BigEndian.Uint32(e[8:])
		if off > size {
			return nil, archive.Damage(at+16+16*int64(i), "a tag of the header states data at %d of %d bytes", off, size)
		}
		h[binary.BigEndian.Uint32(e)] = value{binary.BigEndian.Uint32(e[4:]), binary.BigEndian.Uint32(e[12:]), data[off:]}
	}
	return h, nil
}

// text returns the text of a tag, or "".
func (h header) text(tag uint32) string {
	v := h[tag]
	if v.kind != typeString && v.kind != typeI18N && v.kind != typeStringArray {
		return ""
	}
	text, _, _ := bytes.Cut(v.data, []byte{0})
	return string(text)
}

// texts returns the texts of a tag, as far as they are there.
func (h header) texts(tag uint32) []string {
	v := h[tag]
	if v.kind != typeStringArray {
		return nil
	}
	var list []string
	for rest, more := v.data, true; uint32(len(list)) < v.count && more; {
		var one []byte
		if one, rest, more = bytes.Cut(rest, []byte{0}); more {
			list = append(list, string(one))
		}
	}
	return list
}

// numbers returns the numbers of a tag, as far as they are there.
func (h header) numbers(tag uint32) []uint64 {
	v := h[tag]
	width := map[uint32]int{typeInt16: 2, typeInt32: 4, typeInt64: 8}[v.kind]
	if width == 0 {
		return nil
	}
	n := min(int(v.count), len(v.data)/width)
	list := make([]uint64, n)
	for i := range list {
		for _, b := range v.data[i*width : (i+1)*width] {
			list[i] = list[i]<<8 | uint64(b)
		}
	}
	return list
}

// ghost is the size of files that are not in the archive.
const ghost = -2

var errFiles = errors.New("the list of files in the header is damaged")

// files returns the list of all files.
func (h header) files() ([]archive.Listed, error) {
	names, dirs, indexes := h.texts(tagBaseNames), h.texts(tagDirNames), h.numbers(tagDirIndexes)
	if len(names) != len(indexes) || uint64(len(names)) != uint64(h[tagBaseNames].count) || len(names) > maxFiles {
		return nil, errFiles
	}
	sizes := h.numbers(tagLongFileSizes)
	if sizes == nil {
		sizes = h.numbers(tagFileSizes)
	}
	modes, links, flags := h.numbers(tagFileModes), h.texts(tagFileLinkTos), h.numbers(tagFileFlags)
	list := make([]archive.Listed, len(names))
	for i, name := range names {
		if indexes[i] >= uint64(len(dirs)) {
			return nil, errFiles
		}
		f := archive.Listed{Name: strings.TrimLeft(dirs[indexes[i]]+name, "/"), Size: -1}
		if i < len(sizes) && sizes[i] < 1<<62 {
			f.Size = int64(sizes[i])
		}
		if i < len(modes) {
			f.Kind = archive.KindOf(uint32(modes[i]))
		}
		if i < len(links) && f.Kind == archive.Symlink {
			f.Target = links[i]
		}
		if i < len(flags) && flags[i]&flagGhost != 0 {
			f.Size = ghost
		}
		list[i] = f
	}
	return list, nil
}
