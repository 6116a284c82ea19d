package report

import (
	"fmt"
	"strings"
	"testing"
)

// part is a report of some images, each with so many types; 0 stands for an image that was not done.
func part(types map[string]int, names ...string) *Report {
	r := New(names)
	r.Tool, r.Manifest, r.Seconds = testTool, Manifest{Path: "m.yaml", SHA256: strings.Repeat("d4", 32)}, float64(len(names))
	for _, name := range names {
		switch n, ok := types[name]; {
		case !ok: // lost
		case n == 0:
			r.Add(Row{Name: name, Interrupted: true})
		default:
			r.Add(Row{Name: name, Types: n, Seconds: float64(len(names)), Path: fmt.Sprintf("/%d/%s", len(names), name)})
		}
	}
	return r
}

func TestMerge(t *testing.T) {
	type types = map[string]int
	for _, tt := range []struct {
		name    string
		planned []string
		parts   []*Report
		want    string // name:status of each image
	}{
		{"parts of a run", []string{"a", "b", "c"}, []*Report{part(types{"c": 3}, "c"), part(types{"a": 1, "b": 2}, "a", "b")}, "a:ok b:ok c:ok"},
		{"no plan", nil, []*Report{part(types{"c": 3}, "c"), part(types{"a": 1}, "a")}, "c:ok a:ok"},
		{"a lost job", []string{"a", "b"}, []*Report{part(types{"a": 1}, "a")}, "a:ok b:no-result"},
		{"no jobs", []string{"a"}, nil, "a:no-result"},
		{"a lost image", []string{"a", "b"}, []*Report{part(types{"a": 1}, "a", "b")}, "a:ok b:no-result"},
		{"not planned", []string{"a"}, []*Report{part(types{"a": 1, "b": 1}, "a", "b")}, "a:ok b:unplanned"},
		{"the same twice", nil, []*Report{part(types{"a": 1}, "a"), part(types{"a": 1, "b": 2}, "a", "b")}, "a:ok b:ok"},
		{"two results", nil, []*Report{part(types{"a": 1}, "a"), part(types{"a": 2}, "a")}, "a:conflict"},
		{"three results", nil, []*Report{part(types{"a": 1}, "a"), part(types{"a": 2}, "a"), part(types{"a": 1}, "a")}, "a:conflict"},
		{"interrupted and run again", nil, []*Report{part(types{"a": 0}, "a"), part(types{"a": 1}, "a")}, "a:ok"},
		{"run and interrupted again", nil, []*Report{part(types{"a": 1}, "a"), part(types{"a": 0}, "a")}, "a:ok"},
		{"lost and run again", nil, []*Report{part(nil, "a"), part(types{"a": 1}, "a")}, "a:ok"},
		{"interrupted", nil, []*Report{part(types{"a": 0}, "a"), part(types{"b": 1}, "b")}, "a:cancelled b:ok"},
	} {
		var parts []Part
		for i, r := range tt.parts {
			parts = append(parts, Part{fmt.Sprintf("%d.json", i), r})
		}
		r, err := Merge(parts, tt.planned)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		var got []string
		for _, row := range r.Rows() {
			word := string(row.Failure)
			if row.Status == OK {
				word = "ok"
			}
			got = append(got, row.Name+":"+word)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, s, tt.want)
		}
		if good := strings.Count(tt.want, ":ok") == len(got); good != (r.ExitCode() == 0) {
			t.Errorf("%s: got exit code %d", tt.name, r.ExitCode())
		}
		if len(tt.parts) > 0 {
			if _, err := Read(strings.NewReader(stored(t, r))); err != nil {
				t.Errorf("%s: what was merged cannot be read: %v", tt.name, err)
			}
		}
	}
}

func TestMergeNamesConflicts(t *testing.T) {
	r, err := Merge([]Part{{"one.json", part(map[string]int{"a": 1}, "a")}, {"two.json", part(map[string]int{"a": 2}, "a")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Rows()[0].Error, "has two results that differ, in one.json and two.json"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMergeHead(t *testing.T) {
	a, b := part(map[string]int{"a": 1}, "a"), part(map[string]int{"b": 1, "c": 1}, "b", "c")
	a.Stale, a.Used = []string{"x", "y"}, []string{"z"}
	b.Stale, b.Used, b.Strict = []string{"z", "y"}, []string{"x"}, true
	b.Tool.SHA256 = strings.Repeat("f6", 32)
	r, err := Merge([]Part{{"a", a}, {"b", b}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(r.Stale, r.Used, r.Strict, r.Seconds); got != "[y] [x z] true 2" {
		t.Errorf("got %s", got)
	}
	if r.Tool.SHA256 != "" || r.Tool.Version != testTool.Version || r.Manifest != a.Manifest {
		t.Errorf("got %+v, %+v", r.Tool, r.Manifest)
	}
	if r.Status() != Failed {
		t.Errorf("an exception that accepted nothing: got %s", r.Status())
	}
}

func TestMergeRefuses(t *testing.T) {
	for want, change := range map[string]func(r *Report){
		"one run has one version": func(r *Report) { r.Tool.Version = "2.0.0" },
		"(another)":               func(r *Report) { r.Tool.Commit = "another" },
		"two different manifests": func(r *Report) { r.Manifest.SHA256 = strings.Repeat("0a", 32) },
	} {
		a, b := part(map[string]int{"a": 1}, "a"), part(map[string]int{"b": 1}, "b")
		change(b)
		if _, err := Merge([]Part{{"a.json", a}, {"b.json", b}}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestMergeShards: what another attempt has changed counts, results from the cache are equal to those that were made, and shards of different
// lists of images are refused.
func TestMergeShards(t *testing.T) {
	part := func(name, sum string, rows ...Row) Part {
		r := planned(rows...)
		r.Shard = &Shard{Index: 0, Count: 2, Images: 3, SHA256: strings.Repeat(sum, 64)}
		return Part{name, r}
	}
	first := part("1", "a", Row{Name: "x", Error: "503", Failure: Fetch, Transient: true}, Row{Name: "y", Types: 1})
	again := part("2", "a", Row{Name: "x", Types: 1}, Row{Name: "y", Types: 1, Cached: true})
	for _, order := range [][]Part{{first, again}, {again, first}} {
		r, err := Merge(order, []string{"x", "y"})
		if err != nil {
			t.Fatal(err)
		}
		if r.Status() != OK || r.Shard != nil || len(r.Undone()) > 0 {
			t.Errorf("got status %s, shard %v, undone %q", r.Status(), r.Shard, r.Undone())
		}
	}
	r, err := Merge([]Part{first}, []string{"x", "y", "z"})
	if err != nil || r.ExitCode() != 1 || strings.Join(r.Undone(), " ") != "x z" {
		t.Errorf("got exit code %d, undone %q, %v", r.ExitCode(), r.Undone(), err)
	}
	unlocked := part("4", "a")
	unlocked.Report.Manifest.LockSHA256 = strings.Repeat("c", 64)
	if _, err := Merge([]Part{first, unlocked}, nil); err == nil || !strings.Contains(err.Error(), "two different locks") {
		t.Errorf("with and without a lock: got %v", err)
	}
	if _, err := Merge([]Part{first, part("3", "b")}, nil); err == nil || !strings.Contains(err.Error(), "different lists of images") {
		t.Errorf("shards of different lists: got %v", err)
	}
	other := part("5", "a")
	for flag, same := range map[string]bool{"--profile=pahole": false, "--publish=true": false, "--publish=false": true, "--strict-lint=true": false, "--no-cache=true": true} {
		other.Report.Shard.Flags = []string{flag}
		if _, err := Merge([]Part{first, other}, nil); same != (err == nil) || err != nil && !strings.Contains(err.Error(), "(without such; "+flag+")") {
			t.Errorf("%s in one shard: got %v", flag, err)
		}
	}
}
