package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/encoder/input"
	"github.com/btfbatch/btfbatch/golden/report"
)

// A far is the Source of an image that comes from a server.
type far struct {
	source.Source
	open func() error
}

func (f *far) Open(ctx context.Context) (*input.File, error) {
	if err := f.open(); err != nil {
		return nil, err
	}
	return f.Source.Open(ctx)
}

// farJobs returns jobs for images that come from servers, named a, b and so on. open is called when one is opened.
func farJobs(t *testing.T, n int, open func(name string) error) []Job {
	t.Helper()
	path, dir := sample(t), t.TempDir()
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "  - {name: %c, path: %s, outputs: {btf: %s/%c.btf}}\n", 'a'+i, path, dir, 'a'+i)
	}
	jobs := Jobs(manifest(t, text.String()), "")
	for i := range jobs {
		j := &jobs[i]
		j.File.Source, j.File.Path = &far{j.File.Source, func() error { return open(j.Name) }}, ""
		j.File.Origin.Network, j.File.Origin.URL = true, "https://example.org/"+j.Name
	}
	return jobs
}

// patient waits for an event that must come.
func patient(t *testing.T, what string, event <-chan struct{}) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(time.Minute):
		t.Errorf("waited for a minute: %s", what)
	}
}

// TestNextArrives: with one worker, an image arrives while the one before it is encoded, and the one after it does not.
func TestNextArrives(t *testing.T) {
	const n = 4
	opened, encoding := map[string]chan struct{}{}, map[string]chan struct{}{}
	for i := range n {
		opened[string(rune('a'+i))], encoding[string(rune('a'+i))] = make(chan struct{}), make(chan struct{})
	}
	var mu sync.Mutex
	early := "" // the images that were opened and are not encoded
	next := func(name string) string { return string(rune(name[0] + 1)) }
	jobs := farJobs(t, n, func(name string) error {
		mu.Lock()
		early += name
		if len(early) > 2 { // one starts, and one is the next
			t.Errorf("%s were opened, and none of them is encoded", early)
		}
		mu.Unlock()
		close(opened[name])
		if name != "a" {
			patient(t, name+" is opened, and the one before it is not encoded", encoding[string(rune(name[0]-1))])
		}
		return nil
	})
	r := Run(context.Background(), jobs, Options{Encoding: Encoding{Workers: 1}, Events: Events{Step: func(name string, s Step) {
		if s != StepEncoding {
			return
		}
		mu.Lock()
		early = strings.ReplaceAll(early, name, "")
		mu.Unlock()
		close(encoding[name])
		if other, ok := opened[next(name)]; ok {
			patient(t, name+" is encoded, and the one after it is not opened", other)
		}
	}}})
	if r.Totals().OK != n {
		t.Errorf("got %+v, want %d good images", r.Rows(), n)
	}
}

// TestArrivalFails: an image that cannot be fetched fails, and no other.
func TestArrivalFails(t *testing.T) {
	for _, workers := range []int{1, 2, 7} {
		jobs := farJobs(t, 5, func(name string) error {
			if name == "c" {
				return errors.New("it was lost")
			}
			return nil
		})
		var names []string
		r := Run(context.Background(), jobs, Options{Encoding: Encoding{Workers: workers}, Events: Events{Row: func(row report.Row) { names = append(names, row.Name) }}})
		for _, row := range r.Rows() {
			want := ""
			if row.Name == "c" {
				want = "it was lost"
			}
			if row.Error != want {
				t.Errorf("%d workers: %s: got %q, want %q", workers, row.Name, row.Error, want)
			}
		}
		if !slices.Equal(names, []string{"a", "b", "c", "d", "e"}) {
			t.Errorf("%d workers: rows are reported in the order %v", workers, names)
		}
	}
}

// TestArrivalStops: when the run stops, at most one image has been opened in vain with one worker. Its file is closed, and its arrival ends.
func TestArrivalStops(t *testing.T) {
	var mu sync.Mutex
	var opened []string
	closed := make(chan struct{})
	jobs := farJobs(t, 6, func(name string) error {
		mu.Lock()
		defer mu.Unlock()
		opened = append(opened, name)
		return nil
	})
	jobs[0].File.Pins.Arch = "s390x" // a fails
	jobs[1].File.Source = &closing{jobs[1].File.Source, closed}
	r := Run(context.Background(), jobs, Options{Encoding: Encoding{Workers: 1}, MaxFailures: 1})
	if len(opened) > 2 {
		t.Errorf("%v were opened; the first one failed", opened)
	}
	if len(opened) == 2 {
		patient(t, "the second image is not closed", closed)
	}
	if n := r.Totals(); n.Failed != 1 || n.Skipped != 5 {
		t.Errorf("got %+v, want one failed image, and five that were skipped", n)
	}
}

// A closing is a Source that reports when its file is closed.
type closing struct {
	source.Source
	closed chan struct{}
}

func (c *closing) Open(ctx context.Context) (*input.File, error) {
	f, err := c.Source.Open(ctx)
	if err != nil {
		return nil, err
	}
	return input.Inside(input.Outer{}, "", f, f.Size, func() error { close(c.closed); return f.Close() }), nil
}
