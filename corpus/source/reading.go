package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/btfbatch/btfbatch/corpus/source/archive"
	"github.com/btfbatch/btfbatch/encoder/input"
)

// The problem: many images are files of one package, which can only be read in order, and takes long to read. They are encoded in an order that
// is similar to that of the package, but not equal.
//
// The idea: whoever needs a file reads on until it comes. Files that others want and that come before it are kept for them, in memory, and in a
// temporary file if there are too many. Files for which there is no room are passed. If one of those is needed later, the archive is read
// again from its beginning, unless its format allows to read at any offset: then nothing is ever passed or read again.

const (
	large      = 16 << 20 // bytes of a file that is not held in memory
	keptMemory = 32 << 20 // bytes of files that wait in memory
)

// A reading is the state of the reading of one package.
type reading struct {
	p *Package

	mu     sync.Mutex
	turn   *sync.Cond // broadcast when the reader is free, and when a file was kept
	busy   bool       // somebody reads
	reader *archive.Reader
	ended  bool                     // the archive was read to its end
	places map[string]archive.Entry // the files that came so far
	wants  map[string]int           // images that still need a file
	kept   map[string]*kept
	memory int64          // bytes that are kept in memory
	spill  *input.Scratch // files that wait; nil until needed
	open   int            // images that are open
	free   [][]byte       // memory of files that were closed
}

func (r *reading) init(p *Package) {
	r.p, r.turn = p, sync.NewCond(&r.mu)
	r.places, r.wants, r.kept = map[string]archive.Entry{}, map[string]int{}, map[string]*kept{}
}

func (r *reading) want(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wants[name]++
}

func (r *reading) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unwant(name)
	r.finish()
}

// idle closes the package if nobody needs it.
func (r *reading) idle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.finish()
}

func (r *reading) unwant(name string) {
	if r.wants[name]--; r.wants[name] <= 0 {
		delete(r.wants, name)
		r.drop(name)
	}
}

// finish closes the package when nobody needs it. The lock is held.
func (r *reading) finish() {
	if len(r.wants) > 0 || r.open > 0 || r.busy {
		return
	}
	if r.reader != nil {
		r.reader.Close()
		r.reader = nil
	}
	if r.spill != nil {
		r.spill.Close()
		r.spill = nil
	}
	r.ended, r.memory = false, 0
	clear(r.places)
	clear(r.kept)
	r.free = nil
	r.p.close()
}

// take returns the contents of a file, which must be of one of the wanted kinds. It may wait for others who read.
func (r *reading) take(ctx context.Context, name string, want []input.Kind) (*input.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wants[name] == 0 { // it is opened again
		r.wants[name] = 1
	}
	r.open++
	f, err := r.find(ctx, name, want)
	r.unwant(name)
	if err != nil {
		r.open--
		r.finish()
		return nil, err
	}
	return f, nil
}

// close is called when an image is closed.
func (r *reading) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	r.finish()
}

// A later returns the contents of a file that has been read, which may take time of its own.
type later func() (*input.File, error)

// find returns the contents of a file. The lock is held, and is released while something is read.
func (r *reading) find(ctx context.Context, name string, want []input.Kind) (*input.File, error) {
	for r.busy && r.kept[name] == nil {
		r.turn.Wait()
	}
	if k := r.kept[name]; k != nil {
		r.mu.Unlock()
		defer r.mu.Lock()
		f, err := r.content(ctx, k, want)
		return f, r.named(name, err)
	}
	r.busy = true
	r.mu.Unlock()
	found, err := r.read(ctx, name, want)
	r.mu.Lock()
	r.busy = false
	r.turn.Broadcast()
	if err != nil {
		return nil, err
	}
	r.mu.Unlock()
	defer r.mu.Lock()
	f, err := found()
	return f, r.named(name, err)
}

// named adds the member to an error about its contents.
func (r *reading) named(name string, err error) error {
	if f, ok := errors.AsType[*archive.FormatError](err); err == nil || ok && f.Member != "" {
		return err
	}
	return fmt.Errorf("%s: %w", archive.Printable(name), err)
}

// read reads on until the file comes. The caller is the reader.
func (r *reading) read(ctx context.Context, name string, want []input.Kind) (later, error) {
	for again := false; ; again = true {
		if err := r.start(ctx); err != nil {
			return nil, err
		}
		r.mu.Lock()
		e, seen := r.places[name]
		r.mu.Unlock()
		if seen && r.reader.RandomAccess() && !e.Sparse {
			return r.viewed(ctx, &e, want), nil
		}
		if !seen && r.reader.RandomAccess() && len(r.places) == 0 {
			if e, ok := r.fromBack(ctx, name); ok {
				return r.viewed(ctx, &e, want), nil
			}
		}
		if !seen && !r.ended {
			f, err := r.advance(ctx, name, want)
			if f != nil || err != nil {
				return f, err
			}
		}
		if !seen && r.p.streamed(name) {
			return nil, Lacks(fmt.Errorf("%w; links are not followed in a package that comes through a pipe: give it as a file", noMember(name, len(r.places), false)))
		}
		if again || !seen {
			return nil, fmt.Errorf("%s is in the package's list of files, but not in its archive", archive.Printable(name))
		}
		r.restart()
	}
}

// start opens the archive, if it is not open.
func (r *reading) start(ctx context.Context) (err error) {
	if r.reader != nil {
		r.reader.Use(ctx)
		return nil
	}
	if err := r.p.open(ctx); err != nil {
		return err
	}
	r.reader, err = archive.Open(ctx, &r.p.head.Payload)
	return err
}

// restart closes the archive, to read it again from its beginning.
func (r *reading) restart() {
	r.reader.Close()
	r.reader, r.ended = nil, false
	r.mu.Lock()
	clear(r.places)
	r.mu.Unlock()
	if r.p.head.Payload.At == nil {
		r.p.close()
	}
}

// advance reads entries until the file comes, and returns its contents; nil if the archive ends before.
func (r *reading) advance(ctx context.Context, name string, want []input.Kind) (later, error) {
	for {
		e, err := r.reader.Next()
		if errors.Is(err, io.EOF) {
			r.ended = true
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if e.Kind != archive.File {
			continue
		}
		r.mu.Lock()
		r.places[e.Name] = e
		wanted := r.wants[e.Name] > 0
		r.mu.Unlock()
		switch {
		case e.Name == name:
			return r.current(ctx, &e, want)
		case wanted:
			if err := r.keep(&e); err != nil {
				return nil, err
			}
		}
	}
}

// current returns the contents of the current entry.
func (r *reading) current(ctx context.Context, e *archive.Entry, want []input.Kind) (later, error) {
	if e.Size > large && r.reader.RandomAccess() && !e.Sparse {
		return r.viewed(ctx, e, want), nil
	}
	check := func(head []byte) error { return input.CheckKind(head, want...) }
	if e.Size <= large {
		b := r.buffer(e.Size)
		if err := r.reader.Copy(&b, r.p.limits.Most, check); err != nil {
			return nil, err
		}
		name, entry := r.p.head.Payload.Name, *e
		return func() (*input.File, error) { // others may use the reader by then
			f, err := r.content(ctx, &kept{data: b.list}, want)
			if err != nil {
				err = archive.Located(ctx, name, &entry, err)
			}
			return f, err
		}, nil
	}
	s, err := input.NewScratch()
	if err != nil {
		return nil, err
	}
	if err := r.reader.Copy(s, r.p.limits.Most, check); err != nil {
		s.Close()
		return nil, err
	}
	return func() (*input.File, error) {
		f, err := r.unpacked(ctx, s, s.Size, want, s.Close)
		if err != nil {
			s.Close()
		}
		return f, err
	}, nil
}

// viewed returns a file of an archive that can be read at any offset.
func (r *reading) viewed(ctx context.Context, e *archive.Entry, want []input.Kind) later {
	reader, entry := r.reader, *e
	return func() (*input.File, error) {
		if err := archive.Allowed(entry.Size, r.p.limits.Most); err != nil {
			return nil, reader.BrokenEntry(&entry, err)
		}
		s := new(input.LateScratch)
		v, err := reader.View(ctx, &entry, s)
		if err != nil {
			return nil, err
		}
		end := func() error { return cmp.Or(v.Close(), s.Close()) }
		f, err := r.inView(ctx, v, entry.Size, want, end)
		if err != nil {
			_ = end() // the reason is err
			if f, ok := errors.AsType[*archive.FormatError](err); !ok || f.Member == "" {
				err = reader.BrokenEntry(&entry, err)
			}
		}
		return f, err
	}
}

// inView returns the file of a view, which is of the given size. end is called when it is closed.
func (r *reading) inView(ctx context.Context, v archive.View, size int64, want []input.Kind, end func() error) (*input.File, error) {
	head := make([]byte, min(size, 4096))
	if _, err := v.ReadAt(head, 0); err != nil {
		return nil, err
	}
	if !input.IsELF(head) {
		if err := input.CheckKind(head, want...); err != nil {
			return nil, err
		}
		return r.unpacked(ctx, io.NewSectionReader(v, 0, size), size, want, end)
	}
	if err := archive.WantSections(v, head, size); err != nil {
		return nil, err
	}
	outer := r.outer()
	outer.Ahead, outer.Demand = v.Ahead, v.Demand
	return input.Inside(outer, "", v, size, r.closing(end)), nil
}

// outer describes the package to those who read an image in it.
func (r *reading) outer() input.Outer { return input.Outer{Sum: r.p.sha256, Unchanged: r.p.changed} }

// closing returns what closes an image.
func (r *reading) closing(end func() error) func() error {
	var once sync.Once
	return func() (err error) {
		once.Do(func() {
			if end != nil {
				err = end()
			}
			r.close()
		})
		return err
	}
}

// content returns the file with the given contents.
func (r *reading) content(ctx context.Context, k *kept, want []input.Kind) (*input.File, error) {
	if k.spilled != nil {
		return r.unpacked(ctx, io.NewSectionReader(k.spilled, k.off, k.size), k.size, want, nil)
	}
	m := &memory{data: k.data}
	end := func() error {
		r.reuse(m.take())
		return nil
	}
	return r.unpacked(ctx, m, int64(len(k.data)), want, end)
}

// unpacked returns a file of one of the wanted kinds that r has, perhaps compressed.
func (r *reading) unpacked(ctx context.Context, in io.ReaderAt, size int64, want []input.Kind, end func() error) (*input.File, error) {
	head := make([]byte, min(size, 64<<10))
	if _, err := in.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if input.IsELF(head) {
		return input.Inside(r.outer(), "", in, size, r.closing(end)), nil
	}
	u, err := unpack(ctx, io.NewSectionReader(in, 0, size), r.p.limits.Most, want)
	if err != nil {
		return nil, err
	}
	if end != nil {
		if err := end(); err != nil {
			return nil, errors.Join(err, u.close())
		}
	}
	packed := "" // as a file of the package, it is plain now
	if strings.HasPrefix(u.packed, "bzImage") {
		packed = u.packed
	}
	return u.file(r.outer(), packed, r.closing(u.close)), nil
}

// list returns all files of the archive.
func (r *reading) list(ctx context.Context) ([]archive.Listed, error) {
	r.mu.Lock()
	for r.busy {
		r.turn.Wait()
	}
	r.busy = true
	r.mu.Unlock()
	list, err := r.readList(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy = false
	r.turn.Broadcast()
	if err != nil || r.reader == nil || !r.reader.RandomAccess() {
		r.finish()
	}
	return list, err
}

func (r *reading) readList(ctx context.Context) (list []archive.Listed, err error) {
	if r.reader != nil {
		r.restart()
	}
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	for {
		e, err := r.reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		list = append(list, archive.Listed{Name: e.Name, Kind: e.Kind, Size: e.Size, Target: e.Target})
		if e.Kind == archive.File {
			r.mu.Lock()
			r.places[e.Name] = e
			r.mu.Unlock()
		}
	}
	if r.ended = true; !r.reader.RandomAccess() {
		r.restart()
		if err := r.start(ctx); !errors.Is(err, errOnce) { // that is an error only if a file is wanted after all
			return list, err
		}
	}
	return list, nil
}
