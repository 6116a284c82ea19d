package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
)

// The problem: in packages whose files are sorted, the kernel comes after its modules. Going from header to header up to it decodes all blocks.
//
// The idea: the headers of a tar archive are at multiples of 512 bytes, and state a checksum. So they are recognised without the headers
// before them. Blocks are searched from the end of the archive, until the wanted header is found. From there on, the headers must lead from
// entry to entry to the end of the archive, which shows that it is one, and not a part of another file that looks like one.
//
// The blocks of a large file are not searched: its ELF headers, which its last block has, say where it begins.

const tarBlock = 512

var errNotFound = errors.New("not found")

// Last searches an archive from its end for an entry that match accepts. It returns an error if the archive cannot be read at any offset, or
// the entry is not found in the last part of the archive.
func (r *Reader) Last(ctx context.Context, match func(*Entry) bool) (Entry, error) {
	if r.tar == nil || r.s.blocks == nil {
		return Entry{}, errNotFound
	}
	d := r.s.blocks
	in := d.NewReader(ctx)
	defer in.Close()
	for i := d.Len() - 1; i >= max(0, d.Len()-maxBack); {
		if i > 0 { // it is searched next, or has a part of the file
			d.Ahead(i - 1)
		}
		start, end := d.Bounds(i)
		list := make([]byte, end-start)
		if err := readAt(in, list, start); err != nil {
			return Entry{}, err
		}
		first := -start & (tarBlock - 1)
		for at := first; at+tarBlock <= end-start; at += tarBlock {
			if !isHeader(list[at : at+tarBlock]) {
				continue
			}
			if e, ok := r.chain(ctx, start+at, match); ok {
				return e, nil
			}
		}
		if at, ok := fileStart(list, start); ok && at-tarBlock >= 0 {
			// A file that begins there has its ELF header after its tar header.
			if e, ok := r.chainFrom(ctx, at, match); ok {
				return e, nil
			}
		}
		i--
	}
	return Entry{}, errNotFound
}

// maxBack is the number of blocks that are searched.
const maxBack = 40

func readAt(r io.ReadSeeker, b []byte, off int64) error {
	if _, err := r.Seek(off, io.SeekStart); err != nil {
		return err
	}
	_, err := io.ReadFull(r, b)
	return err
}

// isHeader reports whether 512 bytes are the header of a tar entry.
func isHeader(b []byte) bool {
	if string(b[257:262]) != "ustar" {
		return false
	}
	stated, digits := int64(0), false
	for _, c := range b[148:156] {
		if c >= '0' && c <= '7' {
			stated, digits = stated<<3|int64(c-'0'), true
		}
	}
	sum := int64(8 * ' ')
	for _, c := range b[:148] {
		sum += int64(c)
	}
	for _, c := range b[156:tarBlock] {
		sum += int64(c)
	}
	return digits && sum == stated
}

// chainFrom is chain for a file whose contents begin at an offset. Its name may be in an entry before its header, as GNU tar does it.
func (r *Reader) chainFrom(ctx context.Context, contents int64, match func(*Entry) bool) (Entry, bool) {
	in := r.s.blocks.NewReader(ctx)
	defer in.Close()
	for _, back := range []int64{1, 3, 4, 5, 2} { // its own header; before it, those of a long name (header, name), and of its attributes
		at := contents - back*tarBlock
		head := make([]byte, tarBlock)
		if at < 0 || readAt(in, head, at) != nil || !isHeader(head) {
			continue
		}
		if e, ok := r.chain(ctx, at, match); ok && e.At == contents {
			return e, true
		}
	}
	return Entry{}, false
}

// chain reads the entries from an offset to the end of the archive. It returns the first one if it matches.
func (r *Reader) chain(ctx context.Context, off int64, match func(*Entry) bool) (Entry, bool) {
	in := r.s.blocks.NewReader(ctx)
	defer in.Close()
	if _, err := in.Seek(off, io.SeekStart); err != nil {
		return Entry{}, false
	}
	t := tar.NewReader(in)
	h, err := t.Next()
	if err != nil || h.Typeflag != tar.TypeReg {
		return Entry{}, false
	}
	at, err := in.Seek(0, io.SeekCurrent)
	e := Entry{Stored: h.Name, Kind: File, Size: h.Size, At: at}
	if err == nil {
		err = r.check(&e)
	}
	delete(r.seen, e.Name)
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse") {
			return Entry{}, false
		}
	}
	if err != nil || !match(&e) {
		return Entry{}, false
	}
	for {
		if _, err := t.Next(); errors.Is(err, io.EOF) {
			return e, true
		} else if err != nil {
			return Entry{}, false
		}
	}
}

// fileStart returns the offset in the archive at which an ELF file begins whose end is in a block. The table of section names is recognised by
// how linkers begin it. The section headers after it have its offset in the file.
func fileStart(list []byte, start int64) (int64, bool) {
	const names = "\x00.symtab\x00.strtab\x00.shstrtab\x00"
	i := bytes.LastIndex(list, []byte(names))
	if i < 0 {
		return 0, false
	}
	const name, strtab = 17, 3 // of ".shstrtab" in the table, and SHT_STRTAB
	for at := int64(i); at+40 <= int64(len(list)); at++ {
		if (start+at)%4 != 0 {
			continue
		}
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			h := list[at:]
			if order.Uint32(h) != name || order.Uint32(h[4:]) != strtab || order.Uint32(h[8:]) != 0 || order.Uint32(h[12:]) != 0 {
				continue
			}
			off := int64(order.Uint32(h[16:])) // 32-bit: after name, type, flags and address
			if order.Uint64(h[16:]) == 0 {     // 64-bit: flags and address have eight bytes
				off = int64(order.Uint64(h[24:]))
			}
			if first := start + int64(i) - off; off > 0 && first >= 0 && first%tarBlock == 0 {
				return first, true
			}
		}
	}
	return 0, false
}
