package source

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"sync"

	"github.com/btfbatch/btfbatch/corpus/source/archive"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// A kept is a file that waits for the image that needs it.
type kept struct {
	data    []byte
	spilled *input.Scratch // if not nil, the contents are there
	off     int64
	size    int64
}

// keep keeps the current entry, if there is room. Otherwise it is passed.
func (r *reading) keep(e *archive.Entry) error {
	small := e.Size <= large && r.fits(e.Size)
	if !small && r.reader.RandomAccess() && !e.Sparse {
		return nil // it can be read later
	}
	if small {
		b := r.buffer(e.Size)
		if err := r.reader.Copy(&b, r.p.limits.Most, input.CheckELF); err != nil {
			return lost(err)
		}
		r.put(e.Name, &kept{data: b.list, size: int64(len(b.list))})
		return nil
	}
	if r.spill == nil {
		s, err := input.NewScratch()
		if err != nil {
			return nil //nolint:nilerr // without room it is passed
		}
		r.spill = s
	}
	if r.spill.Size+e.Size > r.p.limits.Scratch {
		return nil
	}
	at := r.spill.Size
	part := &part{r.spill, at}
	if err := r.reader.Copy(part, r.p.limits.Most, input.CheckELF); err != nil {
		r.spill.Size = at
		return lost(err)
	}
	r.put(e.Name, &kept{spilled: r.spill, off: at, size: r.spill.Size - at})
	return nil
}

// fits reports whether there is memory for a file. Only the reader takes more; others give back what they took.
func (r *reading) fits(size int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.memory+size <= keptMemory
}

// lost decides about a file that cannot be kept. If only the file is wrong, it is passed: whoever needs it gets the error.
func lost(err error) error {
	if f, ok := errors.AsType[*archive.FormatError](err); ok && f.Archive != "" && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

func (r *reading) put(name string, k *kept) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept[name] = k
	r.memory += int64(len(k.data))
	r.turn.Broadcast()
}

// drop forgets a file that was kept. The lock is held.
func (r *reading) drop(name string) {
	if k := r.kept[name]; k != nil {
		r.memory -= int64(len(k.data))
		delete(r.kept, name)
	}
}

// A part is a Sink at the end of a temporary file.
type part struct {
	*input.Scratch
	off int64
}

func (p *part) ReadAt(b []byte, off int64) (int, error) { return p.Scratch.ReadAt(b, p.off+off) }

// A memory is the contents of an open file, until they are taken.
type memory struct {
	mu   sync.RWMutex
	data []byte // nil once they were taken
}

// ReadAt implements io.ReaderAt.
func (m *memory) ReadAt(b []byte, off int64) (int, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.data == nil {
		return 0, fs.ErrClosed
	}
	return bytes.NewReader(m.data).ReadAt(b, off)
}

func (m *memory) take() []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	data := m.data
	m.data = nil
	return data
}

// A buffer is a Sink in memory.
type buffer struct{ list []byte }

// buffer returns an empty buffer for a file of the given size.
func (r *reading) buffer(size int64) buffer {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, b := range r.free {
		if int64(cap(b)) >= size {
			r.free = slices.Delete(r.free, i, i+1)
			return buffer{b[:0]}
		}
	}
	return buffer{make([]byte, 0, size)}
}

// reuse takes the memory of a file that is no longer read. Files are opened one after another, so little is enough.
func (r *reading) reuse(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cap(b) > 0 && cap(b) <= large/freeBuffers && r.open > 0 {
		if len(r.free) == freeBuffers { // the smallest is the least useful
			slices.SortFunc(r.free, func(a, b []byte) int { return cap(a) - cap(b) })
			r.free = slices.Delete(r.free, 0, 1)
		}
		r.free = append(r.free, b)
	}
}

// freeBuffers is the number of buffers that are kept for other files.
const freeBuffers = 4

// Grow implements archive.Space.
func (b *buffer) Grow(n int) []byte {
	have := len(b.list)
	b.list = slices.Grow(b.list, n)[:have+n]
	return b.list[have:]
}

func (b *buffer) Write(p []byte) (int, error) {
	b.list = append(b.list, p...)
	return len(p), nil
}

func (b *buffer) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(b.list).ReadAt(p, off)
}
