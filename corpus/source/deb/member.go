package deb

import (
	"encoding/binary"
	"fmt"
	"io"
)

// copyMember writes a member of the given size to dst. Of an ELF file, it writes only the parts that the headers of that file describe.
func copyMember(dst Sink, r io.Reader, size, most int64, check func(head []byte) error) error {
	if size > most {
		return fmt.Errorf("the file has %d bytes, and %d are allowed", size, most)
	}
	buf := make([]byte, min(size, 1<<20))
	head := buf[:min(size, window)]
	if _, err := io.ReadFull(r, head); err != nil {
		return err
	}
	if check != nil {
		if err := check(head); err != nil {
			return err
		}
	}
	table, err := sectionTable(head)
	if err != nil {
		return err
	}
	if table.end() > size {
		return fmt.Errorf("the ELF file is truncated: its section headers end at %d of %d bytes", table.end(), size)
	}
	n, err := dst.Write(head)
	if err != nil {
		return err
	}
	if err := copyTo(dst, r, int64(n), table.end(), buf); err != nil {
		return err
	}
	end, err := table.claim(dst)
	if err != nil {
		return err
	}
	return copyTo(dst, r, max(int64(n), table.end()), min(end, size), buf)
}

// copyTo copies until dst has end bytes. It already has n.
func copyTo(dst Sink, r io.Reader, n, end int64, buf []byte) error {
	for n < end {
		b := buf[:min(end-n, int64(len(buf)))]
		if _, err := io.ReadFull(r, b); err != nil {
			return err
		}
		if _, err := dst.Write(b); err != nil {
			return err
		}
		n += int64(len(b))
	}
	return nil
}

// headers says where the section headers of an ELF file are. The zero value is for other files, and for ELF files without sections.
type headers struct {
	order   binary.ByteOrder
	is64    bool
	off     int64
	n, each int64
}

func (h headers) end() int64 { return h.off + h.n*h.each }

// sectionTable finds the section headers of an ELF file. head has the beginning of the file.
func sectionTable(head []byte) (h headers, err error) {
	if len(head) < 64 || string(head[:4]) != "\x7fELF" {
		return h, nil
	}
	if h.order = binary.ByteOrder(binary.LittleEndian); head[5] == 2 {
		h.order = binary.BigEndian
	}
	var off uint64
	if h.is64 = head[4] == 2; h.is64 {
		off, h.each, h.n = h.order.Uint64(head[40:]), int64(h.order.Uint16(head[58:])), int64(h.order.Uint16(head[60:]))
	} else {
		off, h.each, h.n = uint64(h.order.Uint32(head[32:])), int64(h.order.Uint16(head[46:])), int64(h.order.Uint16(head[48:]))
	}
	least := int64(40)
	if h.is64 {
		least = 64
	}
	switch {
	case off > 1<<48:
		return headers{}, fmt.Errorf("the ELF header states section headers at %d", off)
	case off == 0, h.n == 0: // no sections, or too many for the header to state their number
		return headers{}, nil
	case h.each < least:
		return headers{}, fmt.Errorf("the ELF header states section headers of %d bytes", h.each)
	}
	h.off = int64(off)
	return h, nil
}

// claim returns the end of the last section. r must contain the section headers.
func (h headers) claim(r io.ReaderAt) (int64, error) {
	if h.off == 0 {
		return 1 << 62, nil // other files are bounded only by their size
	}
	end := h.end()
	list := make([]byte, h.n*h.each)
	if _, err := r.ReadAt(list, h.off); err != nil {
		return 0, err
	}
	for s := list; len(s) > 0; s = s[h.each:] {
		kind, off, size := h.order.Uint32(s[4:]), uint64(0), uint64(0)
		if h.is64 {
			off, size = h.order.Uint64(s[24:]), h.order.Uint64(s[32:])
		} else {
			off, size = uint64(h.order.Uint32(s[16:])), uint64(h.order.Uint32(s[20:]))
		}
		const nobits = 8
		if kind != nobits && off < 1<<62 && size < 1<<62-off {
			end = max(end, int64(off+size))
		}
	}
	return end, nil
}
