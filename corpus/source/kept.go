package source

import (
	"bytes"
	"errors"
	"io"

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
		var b buffer
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

// A buffer is a Sink in memory.
type buffer struct{ list []byte }

func (b *buffer) Write(p []byte) (int, error) {
	b.list = append(b.list, p...)
	return len(p), nil
}

func (b *buffer) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(b.list).ReadAt(p, off)
}
