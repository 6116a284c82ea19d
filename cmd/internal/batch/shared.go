package batch

import (
	"context"
	"fmt"

	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/config"
)

// A shared golden belongs to several images. A run that rewrites goldens must not write it for one image and then again for another. Such
// a run would succeed, but one of the two images would differ in every later run. Therefore the images take turns in their order: the first
// may rewrite the golden, and the others must be equal to it.
type shared struct {
	owner string // the image whose BTF is in the golden; empty if unknown
}

// A turn is the turn of one image to use a shared golden.
type turn struct {
	*shared
	before <-chan struct{} // closed when the previous image is done; nil for the first
	done   chan struct{}
}

// shareGoldens finds the images that share a golden, if goldens are rewritten or proposed.
func (b *batch) shareGoldens() {
	b.turns = make([]*turn, len(b.jobs))
	if !b.opt.Goldens.Update && b.opt.Goldens.New == "" {
		return
	}
	last := map[string]*turn{}
	for i := range b.jobs {
		path := b.jobs[i].Golden
		if path == "" || b.jobs[i].Check.Policy == config.Digest { // each image has its own line there
			continue
		}
		key := paths.Key(path)
		t := &turn{shared: new(shared), done: make(chan struct{})}
		if before := last[key]; before != nil {
			t.shared, t.before = before.shared, before.done
		}
		b.turns[i], last[key] = t, t
	}
}

// wait waits for the previous image.
func (t *turn) wait(ctx context.Context) error {
	if t == nil || t.before == nil {
		return nil
	}
	select {
	case <-t.before:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end lets the next image continue.
func (t *turn) end() {
	if t != nil {
		close(t.done)
	}
}

// refuse returns an error if a golden that differs must not be rewritten.
func (t *turn) refuse() error {
	if t == nil || t.owner == "" {
		return nil
	}
	return fmt.Errorf("golden: it is also the golden of %q, whose BTF differs from that of this image; give each image its own golden", t.owner)
}

// own records that the golden contains the BTF of an image.
func (t *turn) own(name string) {
	if t != nil && t.owner == "" {
		t.owner = name
	}
}
