package elf

import (
	"debug/elf"
	"errors"
	"sync"
)

// The problem: a relocated section cannot be read in place. Read as a whole, the .debug_info of a module is memory that is touched for the first
// time, and the system takes as long to provide it as the encoder to translate it.
//
// The idea: linkers write relocations in the order of their offsets. So the relocations of a unit are in one piece, and the unit can be read and
// relocated in memory that was used for another one.
//
// Whether the relocations are in order, and each of them can be applied, is known only after all pieces have been read. Anything else ends with
// ErrPieces. The section must then be read as a whole, which reports the damage or reads it as the profile demands. So no damage is judged here.

// ErrPieces says that a section cannot be read in pieces.
var ErrPieces = errors.New("the relocations of a section are not in order, or cannot all be applied")

// Pieces reads and relocates a section piece by piece. Several goroutines may use it at the same time.
type Pieces struct {
	f      *File
	s, rel *Section
	names  *MergedStrings
	kinds  []relKind
	n      int // number of entries

	mu     sync.Mutex
	bounds map[uint64]int // by offset: the number of the first entry from there on
	idle   []*pieceReader
}

// A pieceReader holds what one goroutine needs.
type pieceReader struct {
	entries
	first int    // number of the first entry in data
	data  []byte // entries
}

// Pieces prepares to read a section with relocations in pieces. names is the argument of DataWithNames. The result is nil if the section must be
// read as a whole.
func (f *File) Pieces(s *Section, names *MergedStrings) (*Pieces, error) {
	if f.Type != elf.ET_REL || f.asStored || !f.uncompressed(s) || f.checkPlace(s) != nil || f.checkRelocations(s) != nil {
		return nil, nil //nolint:nilerr // whoever reads it as a whole gets the error
	}
	p := &Pieces{f: f, s: s, names: names, bounds: make(map[uint64]int)}
	for i := range f.Sections {
		if rel := &f.Sections[i]; rel.relocates(s.Index) {
			if p.rel != nil {
				return nil, nil
			}
			p.rel = rel
		}
	}
	if p.rel == nil || !f.uncompressed(p.rel) || f.checkPlace(p.rel) != nil {
		return nil, nil //nolint:nilerr // the same
	}
	e, err := f.openEntries(p.rel)
	if err != nil {
		return nil, nil //nolint:nilerr // reading the section as a whole gives the error
	}
	if !e.whole() || p.rel.EntSize != 0 && p.rel.EntSize != uint64(e.size) {
		return nil, nil
	}
	p.n = int(p.rel.Size / uint64(e.size))
	p.idle = append(p.idle, &pieceReader{entries: *e})
	if p.kinds = kindsOf(f.Machine); f.peer != nil {
		p.kinds = f.peer.kinds
		if reached, err := f.peer.assume(f, p.rel); err != nil || !reached {
			return nil, err
		}
	}
	p.bounds[0] = 0
	return p, nil
}

// ReadAt reads bytes of the section, from an offset on, and relocates the first n of them. No relocation may reach beyond these. The pieces that are
// read must together cover the section, and no two may overlap unless they are the same.
func (p *Pieces) ReadAt(b []byte, off, n uint64) error {
	if err := p.f.ReadAt(p.s, b, off); err != nil {
		return err
	}
	r := p.reader()
	defer p.release(r)
	i, err := p.start(r, off)
	if err != nil {
		return err
	}
	r.last = off
	if i, err = p.apply(r, i, b[:n], off); err != nil {
		return err
	}
	if off+n == p.s.Size && i != p.n {
		return ErrPieces
	}
	return p.bound(off+n, i)
}

func (p *Pieces) reader() *pieceReader {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		r := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return r
	}
	e, _ := p.f.openEntries(p.rel) // it has been opened before
	return &pieceReader{entries: *e}
}

func (p *Pieces) release(r *pieceReader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, r)
}

// bound records the number of the first entry from an offset on.
func (p *Pieces) bound(off uint64, i int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.bounds[off]; ok && known != i {
		return ErrPieces
	}
	p.bounds[off] = i
	return nil
}

// start returns the number of the first entry from an offset on, which is known after the piece before was read.
func (p *Pieces) start(r *pieceReader, off uint64) (int, error) {
	p.mu.Lock()
	i, ok := p.bounds[off]
	p.mu.Unlock()
	if ok {
		return i, nil
	}
	low, high := 0, p.n
	for low < high {
		i := int(uint(low+high) / 2)
		data, err := r.read(p, i, 1)
		if err != nil {
			return 0, err
		}
		if r.parse(data).off < off {
			low = i + 1
		} else {
			high = i
		}
	}
	return low, p.bound(off, low)
}

// read returns entries from number i on: at least one, and as many as are in memory. If none is, it reads n.
func (r *pieceReader) read(p *Pieces, i, n int) ([]byte, error) {
	if at := (i - r.first) * r.size; i >= r.first && at < len(r.data) {
		return r.data[at:], nil
	}
	n = min(n, p.n-i)
	if len(r.buf) < n*r.size {
		r.buf = make([]byte, n*r.size)
	}
	r.first, r.data = i, r.buf[:n*r.size]
	err := p.f.readAt(r.data, p.rel.Off+uint64(i*r.size), p.rel.place())
	if err != nil {
		r.data = nil
	}
	return r.data, err
}

// apply applies the entries from number i on that are for the bytes b, which begin at an offset. It returns the number of the first one that is not.
func (p *Pieces) apply(r *pieceReader, i int, b []byte, off uint64) (int, error) {
	for i < p.n {
		data, err := r.read(p, i, entriesAtOnce)
		if err != nil {
			return 0, err
		}
		for len(data) > 0 {
			n := r.plain(data, b, off, p.kinds, p.names)
			i += n / r.size
			if data = data[n:]; len(data) == 0 {
				break
			}
			e := r.parse(data)
			if e.off >= off+uint64(len(b)) {
				return i, nil
			}
			if !p.one(r, &e, b, off) {
				return 0, ErrPieces
			}
			data, i = data[r.size:], i+1
		}
	}
	return i, nil
}

// one applies an entry. It reports whether that is possible.
func (p *Pieces) one(r *pieceReader, e *relocation, b []byte, off uint64) bool {
	known := uint64(e.kind) < uint64(len(p.kinds)) && p.kinds[e.kind].op != relUnknown
	peer := p.f.peer != nil
	switch {
	case e.off < r.last, *e == relocation{}:
		return false
	case !known:
		r.last = e.off
		return peer
	}
	r.last = e.off
	k, at := p.kinds[e.kind], e.off-off
	if k.op == relNone {
		return true
	}
	if uint64(e.sym) >= uint64(r.syms.n) || uint64(k.width()) > uint64(len(b))-at {
		return false
	}
	sym := r.symbol(e.sym)
	if peer && !sym.defined {
		if e.sym != 0 && sym.section == uint32(elf.SHN_UNDEF) {
			return true
		}
		if uint64(sym.section) >= uint64(len(p.f.Sections)) && !isSpecial(sym.section) {
			return false
		}
	}
	r.apply(b[at:], k, e, sym, p.names)
	return true
}
