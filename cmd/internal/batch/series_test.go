package batch

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/golden/report"
)

// Releases are ordered as versions.
func TestCompareReleases(t *testing.T) {
	sorted := []string{"", "5.10.0-28-amd64", "6.1.0-9-amd64", "6.1.0-18-amd64", "6.1.0-18-cloud-amd64", "6.1.0-20-amd64", "6.2-rc1", "6.2-rc10", "6.2",
		"6.2.0-1.el9", "6.12.0-1+b1", "6.12.0-1-amd64"}
	for i, a := range sorted {
		for j, b := range sorted {
			want := min(1, max(-1, i-j))
			if got := compareReleases(a, b); got != want {
				t.Errorf("%q and %q: got %d, want %d", a, b, got, want)
			}
		}
	}
	mixed := slices.Clone(sorted)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	slices.SortFunc(mixed, compareReleases)
	if !slices.Equal(mixed, sorted) {
		t.Errorf("got %q", mixed)
	}
}

// Each of the three numbers counts, and exactly the share that is allowed may be missing.
func TestLost(t *testing.T) {
	before := report.Predecessor{Name: "old", Release: "1", Types: 200, Funcs: 100, PerCPU: 10}
	for _, tt := range []struct {
		now  report.Predecessor
		want string
	}{
		{report.Predecessor{Types: 180, Funcs: 90, PerCPU: 9}, ""},
		{report.Predecessor{Types: 900, Funcs: 900, PerCPU: 90}, ""},
		{report.Predecessor{Types: 179, Funcs: 90, PerCPU: 9}, "179 types"},
		{report.Predecessor{Types: 180, Funcs: 89, PerCPU: 9}, "89 functions"},
		{report.Predecessor{Types: 180, Funcs: 90, PerCPU: 8}, "8 per-CPU variables"},
	} {
		err := lost(&tt.now, &before, 0.1)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %q", tt.now, err, tt.want)
		}
	}
	if err := lost(&report.Predecessor{}, &report.Predecessor{}, 0); err != nil {
		t.Error(err)
	}
}

// What an image is compared with: the nearest older one that is good. One without BTF stops the check of the next image only.
func TestAfter(t *testing.T) {
	const good, failed, missing = "good", "failed", "missing"
	for _, tt := range []struct {
		older []string // from the oldest
		want  int      // index; -1: none
		err   string
	}{
		{nil, -1, ""},
		{[]string{good, good}, 1, ""},
		{[]string{good, failed}, 0, ""},
		{[]string{good, missing}, -1, "it cannot be checked"},
		{[]string{good, missing, failed}, 0, ""},
		{[]string{good, missing, good}, 2, ""},
		{[]string{missing}, -1, "it cannot be checked"},
		{[]string{missing, failed}, -1, "none of the images before it passed"},
	} {
		var older []member
		for i, what := range tt.older {
			m := member{is: report.Predecessor{Name: what, Release: string(rune('1' + i)), Types: i}, failed: what == failed}
			if what == missing {
				m.missing = "failed"
			}
			older = append(older, m)
		}
		m := member{is: report.Predecessor{Name: "new", Release: "9", Types: 100}}
		v := m.after(older, 0.1)
		if tt.want < 0 && v.after != nil || tt.want >= 0 && v.after != &older[tt.want].is {
			t.Errorf("%q: compared with %v", tt.older, v.after)
		}
		if (v.err == nil) != (tt.err == "") || v.err != nil && !strings.Contains(v.err.Error(), tt.err) {
			t.Errorf("%q: got %v, want %q", tt.older, v.err, tt.err)
		}
	}
}
