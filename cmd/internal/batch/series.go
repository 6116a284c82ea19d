package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/golden/report"
)

// The images of a series are ordered by the releases of their kernels, and each is compared with the one before it: one that lost a large share of
// the functions, types or per-CPU variables fails. Which image comes before is known only when all of them have been opened. Therefore the
// outputs of a series wait under their temporary names until its last image is done, and only those of images that pass take their places.
//
// The check fails closed. If the image before has no BTF in this run, and none that is known from an earlier one, the image fails. So does every
// image of a series in which one has no BTF and its release is not known, because that may be the one before. An image that the check itself
// failed is passed over, so that its successor is compared with the last good one.

// Series is what a run knows of the images of series that it does not encode.
type Series struct {
	// Outside are the images of the manifest that the run leaves out, by series.
	Outside map[string][]OutsideImage
	// Earlier has the rows of an earlier run; may be empty.
	Earlier []report.Row
}

// An OutsideImage is an image of a series that a run leaves out. Release is empty if it is not known without opening the image.
type OutsideImage struct{ Name, Release string }

// OutsideSeries returns the images in series that a run leaves out.
func OutsideSeries(all, run []corpus.Item) map[string][]OutsideImage {
	inside := make(map[string]bool, len(run))
	for i := range run {
		inside[run[i].Image.Label()] = true
	}
	var outside map[string][]OutsideImage
	for i := range all {
		im := &all[i].Image
		if im.Series == "" || inside[im.Label()] {
			continue
		}
		if outside == nil {
			outside = map[string][]OutsideImage{}
		}
		outside[im.Series] = append(outside[im.Series], OutsideImage{im.Label(), statedRelease(&all[i].File)})
	}
	return outside
}

// statedRelease returns the release that an image must have, or "" if nothing says so.
func statedRelease(f *corpus.File) string {
	if l := f.Pins.Lock; l != nil && l.Release != "" {
		return l.Release
	}
	if !strings.ContainsAny(f.Pins.Release, `*?[\`) {
		return cmp.Or(f.Pins.Release, f.Pins.IsRelease)
	}
	return f.Pins.IsRelease
}

// A series is one series of a run.
type series struct {
	name string
	jobs []int // in their order
	left int   // number of images that are not done
	rows map[int]report.Row
}

// A waiting is the outputs of an image that are written and not in their places.
type waiting struct {
	place   func(row *report.Row) error
	discard func()
}

// linkSeries finds the series of the jobs.
func (b *batch) linkSeries() {
	b.series, b.waiting = make([]*series, len(b.jobs)), make([]*waiting, len(b.jobs))
	all := map[string]*series{}
	for i := range b.jobs {
		name := b.jobs[i].Series
		if name == "" {
			continue
		}
		s := all[name]
		if s == nil {
			s = &series{name: name, rows: map[int]report.Row{}}
			all[name] = s
		}
		s.jobs, s.left = append(s.jobs, i), s.left+1
		b.series[i] = s
	}
}

// judgeSeries returns the rows that are decided now that an image is done, by job. Those of a series come together.
func (b *batch) judgeSeries(ctx context.Context, i int, row report.Row) map[int]report.Row {
	s := b.series[i]
	if s == nil {
		return map[int]report.Row{i: row}
	}
	b.mu.Lock()
	s.rows[i] = row
	s.left--
	last := s.left == 0
	b.mu.Unlock()
	if !last {
		return nil
	}
	verdicts := s.verdicts(b)
	for _, j := range s.jobs {
		w := b.waiting[j]
		if w == nil {
			continue
		}
		row := s.rows[j]
		err := ctx.Err()
		if err == nil {
			v := verdicts[j]
			row.Series.After = v.after
			if err = as(report.InSeries, v.err); err == nil {
				err = w.place(&row)
			}
		}
		b.waiting[j] = nil
		w.discard()
		switch {
		case ctx.Err() != nil && err != nil:
			row = b.jobs[j].row()
			row.Interrupted = true
		case err != nil:
			row.Error, row.Failure, row.Transient = oneLine(err), kindOf(err), Transient(err)
			b.failures.Add(1)
			if b.opt.Events.Error != nil {
				b.opt.Events.Error(row.Name, err)
			}
		}
		b.ended(&row)
		s.rows[j] = row
	}
	return s.rows
}

// discardWaiting removes outputs whose series was not completed.
func (b *batch) discardWaiting() {
	for i, w := range b.waiting {
		if w != nil {
			w.discard()
			b.waiting[i] = nil
		}
	}
}

// A member is an image of a series, for the check.
type member struct {
	job     int // -1: not in this run
	is      report.Predecessor
	missing string // why there is no BTF to compare with; empty if there is
	failed  bool   // by the check
}

// A verdict is the outcome of the check of an image.
type verdict struct {
	after *report.Predecessor
	err   error
}

// verdicts checks the images of a series that have BTF, by job.
func (s *series) verdicts(b *batch) map[int]verdict {
	members := s.members(b)
	unknown := slices.IndexFunc(members, func(m member) bool { return m.is.Release == "" && m.missing != "" })
	verdicts := map[int]verdict{}
	for i := range members { // from the oldest release to the newest
		m := &members[i]
		if m.job < 0 || b.waiting[m.job] == nil {
			continue
		}
		loss := b.jobs[m.job].SeriesLoss
		var v verdict
		switch {
		case m.is.Release == "":
			v.err = errors.New("the image states no release, so it has no place among the others")
		case loss >= 1: // whatever came before
		case unknown >= 0:
			u := &members[unknown]
			v.err = fmt.Errorf("it cannot be checked: %q %s, and its release is not known, so it may be the one before; state release: of %q, or set series_loss: 100%%",
				u.is.Name, u.missing, u.is.Name)
		default:
			v = m.after(members[:i], loss)
		}
		m.failed = v.err != nil
		if v.err != nil {
			v.err = fmt.Errorf("series %q: %w", s.name, v.err)
		}
		verdicts[m.job] = v
	}
	return verdicts
}

// after compares an image with the one before it. older are those before it, in their order.
func (m *member) after(older []member, loss float64) (v verdict) {
	passed := false // an image that the check failed; what has no BTF before it is its matter
	for i := range slices.Backward(older) {
		switch o := &older[i]; {
		case o.is.Release == "":
			continue
		case o.failed, passed && o.missing != "":
			passed = true
		case o.missing != "":
			v.err = fmt.Errorf("it cannot be checked: %q (release %s), which is before it (release %s), %s; remove that one from the series, or set series_loss: 100%%",
				o.is.Name, o.is.Release, m.is.Release, o.missing)
			return v
		default:
			return verdict{&o.is, lost(&m.is, &o.is, loss)}
		}
	}
	if passed {
		v.err = errors.New("it cannot be checked: none of the images before it passed the check")
	}
	return v
}

// members lists the images of a series, from the oldest release to the newest. Those without a known release come first.
func (s *series) members(b *batch) (list []member) {
	type at struct{ name, release string }
	now, outside := map[at]bool{}, map[string]int{}
	for _, j := range s.jobs {
		row := s.rows[j]
		m := member{job: j, is: predecessor(&row)}
		if b.waiting[j] == nil {
			m.missing = "failed"
			if row.SkipReason != "" {
				m.missing = "was skipped"
			}
			m.is.Release = cmp.Or(m.is.Release, statedRelease(&b.jobs[j].File))
		}
		now[at{m.is.Name, m.is.Release}] = true
		list = append(list, m)
	}
	for _, o := range b.opt.Series.Outside[s.name] {
		outside[o.Name] = len(list)
		list = append(list, member{job: -1, is: report.Predecessor{Name: o.Name, Release: o.Release}, missing: "is not in this run, and no report of an earlier one (--previous) has its BTF"})
	}
	for i := range b.opt.Series.Earlier {
		row := &b.opt.Series.Earlier[i]
		if row.Series == nil || row.Series.Name != s.name {
			continue
		}
		made := row.Status == report.OK || row.Status == report.Differs
		is := predecessor(row)
		is.Earlier = true
		k, left := outside[row.Name]
		switch {
		case left && made && row.Release != "":
			list[k] = member{job: -1, is: is}
		case left:
			list[k].is.Release, list[k].failed = cmp.Or(list[k].is.Release, row.Release), row.Failure == report.InSeries
		case made && row.Release != "" && !now[at{row.Name, row.Release}]:
			list = append(list, member{job: -1, is: is})
		}
	}
	slices.SortStableFunc(list, func(a, b member) int {
		return cmp.Or(compareReleases(a.is.Release, b.is.Release), cmp.Compare(a.is.Name, b.is.Name))
	})
	return list
}

func predecessor(row *report.Row) report.Predecessor {
	return report.Predecessor{Name: row.Name, Release: row.Release, Types: row.Types, Funcs: row.Funcs, PerCPU: row.PerCPU}
}

// lost returns an error if an image lacks more than a share of what the one before it has.
func lost(now, before *report.Predecessor, loss float64) error {
	for _, n := range []struct {
		what        string
		now, before int
	}{
		{"functions", now.Funcs, before.Funcs}, {"types", now.Types, before.Types}, {"per-CPU variables", now.PerCPU, before.PerCPU},
	} {
		if missing := n.before - n.now; float64(missing) > loss*float64(n.before) {
			return fmt.Errorf("%q (release %s) has %d %s, and %q (release %s) before it has %d: %.1f %% are missing; set series_loss above that if it is right",
				now.Name, now.Release, n.now, n.what, before.Name, before.Release, n.before, 100*float64(missing)/float64(n.before))
		}
	}
	return nil
}

// compareReleases orders releases as versions: 6.1.0-9 is before 6.1.0-18, and 6.2-rc1 is before 6.2.
func compareReleases(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a = cutDigits(a, false)
		y, b = cutDigits(b, false)
		if c := cmp.Or(cmp.Compare(rank(x), rank(y)), strings.Compare(x, y)); c != 0 {
			return c
		}
		x, a = cutDigits(a, true)
		y, b = cutDigits(b, true)
		x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
		if c := cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y)); c != 0 {
			return c
		}
	}
	return 0
}

// cutDigits cuts off the digits, or the other characters, that a text begins with.
func cutDigits(s string, digits bool) (head, tail string) {
	i := strings.IndexFunc(s, func(r rune) bool { return (r >= '0' && r <= '9') != digits })
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i:]
}

// rank is negative for a text between numbers that is before the end of a release.
func rank(text string) int {
	if strings.HasPrefix(text, "-rc") || strings.HasPrefix(text, "_rc") || strings.HasPrefix(text, "~") || strings.HasPrefix(text, ".rc") {
		return -1
	}
	return 0
}
