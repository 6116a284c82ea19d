package batch

import (
	"context"
	"fmt"
	"sync"

	"github.com/btfbatch/btfbatch/cmd/internal/btffile"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/cache"
	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/encoder/verify"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A base is the base of images of the batch: the BTF of another image, or of a file. It is parsed and prepared once, shared, and released
// when its last user is done.
type base struct {
	name string         // for messages
	file string         // the first user reads it; empty if an image provides the base
	open btffile.Opener // see Job.OpenBase
	once sync.Once
	hash bool // the digest of its file is needed
	lone bool // it has one user: most of what prepares a base would not be used
	sum  string

	ready chan struct{} // closed when an image has provided the base
	is    corpus.Base   // architecture, byte order and identity of its file
	wire  []byte
	err   error

	btf     *encoder.Base // wire, parsed by the first user that needs it
	parsing error

	summing sync.Once
	wireSum string // digest of wire

	was *btf.Object // the golden of the base, where it differs: what the goldens of its users continue; set before ready is closed

	mu     sync.Mutex
	users  int
	checks map[verify.Kernel]*check
}

// A check is the verdict of one kernel on a base.
type check struct {
	once sync.Once
	base *verify.Base
	err  error
}

// linkBases finds the base of every job, and counts the users of every base.
func (b *batch) linkBases() {
	b.bases, b.own = make([]*base, len(b.jobs)), make([]*base, len(b.jobs))
	files := map[string]*base{}
	for i := range b.jobs {
		j := &b.jobs[i]
		switch {
		case j.Base >= 0:
			if b.own[j.Base] == nil {
				b.own[j.Base] = &base{name: b.jobs[j.Base].Name, ready: make(chan struct{})}
			}
			b.bases[i] = b.own[j.Base]
		case j.BaseFile != "":
			if files[j.BaseFile] == nil {
				files[j.BaseFile] = &base{name: j.BaseFile, file: j.BaseFile, open: j.OpenBase}
			}
			b.bases[i] = files[j.BaseFile]
		default:
			continue
		}
		b.bases[i].users++
		b.bases[i].lone = b.bases[i].users == 1
		b.bases[i].hash = b.bases[i].hash || b.opt.Hash || j.BaseSHA256 != ""
	}
}

// provide sets the BTF of a base and the digest and description of its image, or the reason why there is no BTF.
func (s *base) provide(is corpus.Base, wire []byte, sum string, err error) {
	s.is, s.sum, s.wire, s.err = is, sum, wire, err
	close(s.ready)
}

// failed returns the reason why an image of the batch could not become a base. Without wait, it is nil as long as that is not known.
func (s *base) failed(wait bool) error {
	if s == nil || s.file != "" {
		return nil
	}
	if !wait {
		select {
		case <-s.ready:
		default:
			return nil
		}
	}
	if <-s.ready; s.err != nil {
		return as(report.BaseFailed, s.named(s.err))
	}
	return nil
}

// parse parses the BTF of an image again, so that the base is what was published, and the encoder's memory can be released.
func (s *base) parse() (err error) {
	parse := btffile.Parse
	if s.lone {
		parse = btffile.ParseOnce
	}
	var o *btf.Object
	if o, err = parse(s.wire); err == nil {
		s.btf = s.prepared(o)
	}
	return err
}

// prepared returns the base of the encoder for an object.
func (s *base) prepared(o *btf.Object) *encoder.Base {
	if s.lone {
		return encoder.NewLazyBase(o)
	}
	return encoder.NewBase(o)
}

// known waits until the bytes of the base are known, and returns their digest.
func (s *base) known(ctx context.Context, h *corpus.Hasher) (sum string, err error) {
	if s.file != "" {
		if _, err := s.get(ctx, h); err != nil {
			return "", err
		}
	} else if <-s.ready; s.err != nil {
		return "", s.err
	}
	s.summing.Do(func() { s.wireSum = cache.Sum(s.wire) })
	return s.wireSum, nil
}

// read reads the base from its file. If the digest is needed, it is that of the bytes that are read.
func (s *base) read(ctx context.Context, h *corpus.Hasher) error {
	in, is, err := s.openFile()
	if err != nil {
		return err
	}
	defer in.Close()
	s.is = is
	if s.hash {
		if s.sum, err = h.Sum(ctx, in); err != nil {
			return input.Named(s.file, err)
		}
	}
	from := btffile.BaseFrom
	if s.lone {
		from = btffile.BaseOnceFrom
	}
	o, wire, err := from(in, s.file)
	if err != nil {
		return err
	}
	s.btf, s.wire = s.prepared(o), wire
	if s.hash {
		return input.Named(s.file, sameSum(ctx, in, s.sum))
	}
	return nil
}

// openFile opens the file of the base. Errors name it.
func (s *base) openFile() (*input.File, corpus.Base, error) {
	if s.open == nil {
		return corpus.OpenBase(s.file)
	}
	in, err := btffile.Open(s.open, s.file)
	if err != nil {
		return nil, corpus.Base{}, err
	}
	is, err := corpus.LookAtBase(in)
	if err != nil {
		in.Close()
		return nil, corpus.Base{}, input.Named(s.file, err)
	}
	return in, is, nil
}

// sameSum hashes a file again if it is too recent for its times to show a change since it was hashed.
func sameSum(ctx context.Context, f *input.File, sum string) error {
	if !f.Recent() {
		return nil
	}
	again, err := corpus.Sum(ctx, f)
	if err == nil && again != sum {
		err = input.ErrChanged
	}
	return err
}

// get waits until the base is ready and returns it.
func (s *base) get(ctx context.Context, h *corpus.Hasher) (*encoder.Base, error) {
	if s.file != "" {
		s.once.Do(func() { s.err = s.read(ctx, h) })
		if s.err != nil {
			return nil, fmt.Errorf("base: %w", s.err)
		}
		return s.btf, nil
	}
	if <-s.ready; s.err != nil {
		return nil, s.named(s.err)
	}
	s.once.Do(func() { s.parsing = s.parse() })
	if s.parsing != nil {
		return nil, s.named(s.parsing)
	}
	return s.btf, nil
}

// named adds the name of the base to an error.
func (s *base) named(err error) error {
	if s.file == "" {
		return fmt.Errorf("base %q: %w", s.name, err)
	}
	return fmt.Errorf("base: %w", input.Named(s.file, err))
}

// release must be called once by each user.
func (s *base) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users == 0 {
		s.btf, s.wire, s.checks, s.was = nil, nil, nil, nil
	}
}

// checked returns the base as verified for a kernel, or the kernel's refusal. All users share one check. The base must be ready.
func (s *base) checked(k verify.Kernel) (*verify.Base, error) {
	s.mu.Lock()
	c := s.checks[k]
	if c == nil {
		c = new(check)
		if s.checks == nil {
			s.checks = map[verify.Kernel]*check{}
		}
		s.checks[k] = c
	}
	s.mu.Unlock()
	c.once.Do(func() { c.base, c.err = verify.NewBase(s.wire, k, nil) }) // the byte orders have been compared
	return c.base, c.err
}
