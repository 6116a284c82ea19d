package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/btfbatch/btfbatch/cmd/internal/goldens"
	"github.com/btfbatch/btfbatch/cmd/internal/paths"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A shared golden belongs to several images. If the images differ from each other, a golden that is rewritten for one of them is wrong for
// another, and every run with --update would change it again. Therefore a run that rewrites or proposes goldens decides about a shared golden
// only after its last image: if there is one BTF that suits all of its images, each by its own policy, that becomes the golden. If there is
// none, the golden stays as it is, and the first image that fits to none of the BTFs before it fails. Until then, the rows of these images
// are held back. The images take turns in their order, so that the outcome does not depend on the number of workers.
type shared struct {
	jobs    []int   // the images, in their order
	left    int     // number of images that are not finished
	users   []*user // images with BTF
	outside string  // another image that has this golden, and that the run leaves out; may be empty
	unknown bool    // an image was interrupted
	clash   string  // why no BTF suits all images; empty if one does
}

// A user is an image with a shared golden.
type user struct {
	job      int
	t        *target // only for the golden, after the image is done
	sum      string  // of its BTF
	object   *btf.Object
	opt      golden.Options
	differs  bool // from the golden as it is
	original *report.Comparison
}

// A turn is the turn of one image to use a shared golden.
type turn struct {
	*shared
	before <-chan struct{} // closed when the previous image is done; nil for the first
	done   chan struct{}
}

// Outside returns, for goldens that images in a run share with images that the run leaves out, the name of such an image.
func Outside(all, run []corpus.Item) map[string]string {
	inside := map[string]bool{}
	for i := range run {
		inside[run[i].Image.Label()] = true
	}
	var outside map[string]string
	for i := range all {
		im := &all[i].Image
		if im.Golden == "" || inside[im.Label()] || im.Check.Policy == config.Digest {
			continue
		}
		if outside == nil {
			outside = map[string]string{}
		}
		if key := paths.Key(im.Golden); outside[key] == "" {
			outside[key] = im.Label()
		}
	}
	return outside
}

// shareGoldens finds the images that share a golden, if goldens are rewritten or proposed.
func (b *batch) shareGoldens() {
	b.turns = make([]*turn, len(b.jobs))
	if !b.opt.Goldens.Update && b.opt.Goldens.New == "" {
		return
	}
	all := map[string]*shared{}
	for i := range b.jobs {
		path := b.jobs[i].Golden
		if path == "" || b.jobs[i].Check.Policy == config.Digest { // each image has its own line there
			continue
		}
		key := paths.Key(path)
		s := all[key]
		if s == nil {
			s = &shared{outside: b.opt.Goldens.Outside[key]}
			all[key] = s
		}
		t := &turn{shared: s, done: make(chan struct{})}
		if n := len(s.jobs); n > 0 {
			t.before = b.turns[s.jobs[n-1]].done
		}
		s.jobs, s.left = append(s.jobs, i), s.left+1
		b.turns[i] = t
	}
	for i, t := range b.turns {
		if t != nil && len(t.jobs) == 1 && t.outside == "" {
			b.turns[i] = nil
		}
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

// join adds an image to those that use the golden, when it is the image's turn. c is the comparison with the golden as it is. The error says
// that the golden cannot suit this image and those before it.
func (b *batch) join(i int, t *target, c *report.Comparison) error {
	s := b.turns[i]
	if s == nil {
		return nil
	}
	u := &user{job: i, t: t, sum: t.sum(), object: t.object, opt: b.goldenOptions(t), differs: !c.Verdict.OK(), original: c}
	for _, v := range s.users {
		if v.sum == u.sum && v.t.base == t.base {
			u.object = v.object // one copy of equal BTF is enough
		}
	}
	s.users = append(s.users, u)
	if _, ok := s.choice(); ok || s.clash != "" {
		return nil
	}
	other := s.users[0]
	for _, v := range s.users {
		if (v.differs || u.differs) && !(u.takes(v) && v.takes(u)) {
			other = v
			break
		}
	}
	s.clash = fmt.Sprintf("%q and %q share this golden, and their BTFs differ; give each image its own golden", b.jobs[other.job].Name, t.Name)
	s.users = s.users[:len(s.users)-1]
	return fmt.Errorf("golden: it stays as it is: %s", s.clash)
}

// takes reports whether an image would be equal to a golden with the BTF of another image.
func (u *user) takes(v *user) bool {
	if u.object == v.object || u.sum == v.sum && u.t.base == v.t.base {
		return true
	}
	return golden.Agree(u.object, v.object, u.opt)
}

// choice returns the image whose BTF becomes the golden. It is nil if the golden stays as it is because it suits all images, and not ok if
// there is no such BTF.
func (s *shared) choice() (u *user, ok bool) {
	all := true
	for _, u := range s.users {
		if !u.differs {
			continue
		}
		all = false
		if !slices.ContainsFunc(s.users, func(v *user) bool { return !v.takes(u) }) {
			return u, true
		}
	}
	return nil, all
}

// settle returns the rows that can be reported now that an image is done, by job. The rows of images that share a golden come together.
func (b *batch) settle(i int, row report.Row) map[int]report.Row {
	t := b.turns[i]
	if t == nil {
		return map[int]report.Row{i: row}
	}
	s := t.shared
	b.mu.Lock()
	b.held[i] = row
	s.left--
	s.unknown = s.unknown || row.Interrupted
	if last := s.left == 0; !last {
		b.mu.Unlock()
		return nil
	}
	s.users = slices.DeleteFunc(s.users, func(v *user) bool { return b.held[v.job].Error != "" }) // their outputs were not published
	b.mu.Unlock()
	u, _ := s.choice()
	why := ""
	switch {
	case s.clash != "":
		u, why = nil, s.clash
	case s.unknown:
		u = nil
	case s.outside != "" && u != nil:
		u, why = nil, fmt.Sprintf("it is also the golden of %q, which this run leaves out", s.outside)
	}
	var err error
	if !s.unknown {
		err = b.replace(s, u, why != "")
	}
	rows := map[int]report.Row{}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, j := range s.jobs {
		rows[j] = b.held[j]
		delete(b.held, j)
	}
	for _, v := range s.users {
		row := rows[v.job]
		switch c := *v.original; {
		case err == nil && !v.differs:
			continue
		case err != nil:
			row.Error, row.Failure = oneLine(err), report.Write
		case u != nil && b.opt.Goldens.Update:
			row.Golden = &report.Comparison{Path: c.Path, Verdict: golden.Equal, Summary: rewrittenSummary(&c)}
		case why != "":
			word := "not rewritten: "
			if b.opt.Goldens.New != "" {
				word = "no new golden: "
			}
			if c.Summary != "" {
				c.Summary += "; "
			}
			c.Summary += word + why
			row.Golden = &c
		}
		rows[v.job] = row
	}
	s.users = nil
	return rows
}

// replace writes the BTF of an image as the golden, or as the new golden. If u is nil there is nothing to write: new goldens of an earlier
// run are removed if they are refused, or if the golden suits all images.
func (b *batch) replace(s *shared, u *user, refused bool) error {
	if b.opt.Goldens.Update {
		if u == nil {
			return nil
		}
		if err := golden.Update(u.t.Golden, u.t.form(), u.object, b.files.File); err != nil {
			return fmt.Errorf("golden: %w", err)
		}
		return nil
	}
	if u == nil && s.outside != "" && !refused {
		return nil // an image that the run leaves out may need it
	}
	var errs []error
	seen := map[string]bool{}
	for _, j := range s.jobs {
		place, err := goldens.Place(b.opt.Goldens.New, b.opt.Goldens.Dir, b.jobs[j].Golden)
		if err != nil || seen[place] {
			errs = append(errs, err)
			continue
		}
		seen[place] = true
		if u == nil {
			errs = append(errs, removed(place))
		} else {
			errs = append(errs, golden.Write(place, b.jobs[j].Golden, u.t.form(), u.object, b.files.File))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("golden: %w", err)
	}
	return nil
}
