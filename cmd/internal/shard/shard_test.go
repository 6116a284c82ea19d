package shard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/cmd/internal/cost"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/golden/report"
)

// sizeFor is the size of a plain file that takes about the given number of seconds.
func sizeFor(seconds float64) int64 {
	of := func(size int64) float64 { im := cost.Image{Stored: size}; return im.Cost().Seconds() }
	perByte := (of(2e9) - of(1e9)) / 1e9
	return int64((seconds - of(1e9) + 1e9*perByte) / perByte)
}

// item is an image that takes about the given number of seconds.
func item(name string, seconds float64, base int) corpus.Item {
	it := corpus.Item{Image: config.Image{Name: name}, Base: base}
	it.Path, it.Size = name+".vmlinux", sizeFor(seconds)
	return it
}

func images(p *Plan) (list []string) {
	for i := range p.Parts {
		list = append(list, strings.Join(p.Parts[i].Images, " "))
	}
	return list
}

func TestDivide(t *testing.T) {
	kernels := []corpus.Item{item("a", 3.01, -1), item("b", 9, -1), item("c", 4, -1), item("d", 2, -1), item("e", 6, -1)}
	based := []corpus.Item{item("kernel", 3, -1), item("other", 2.5, -1), item("m1", 1, 0), item("m2", 1, 0)}
	sharing := []corpus.Item{item("a", 1, -1), item("b", 2, -1), item("c", 3, -1)}
	sharing[0].Image.Golden, sharing[2].Image.Golden = "sums", "sums"
	ordered := []corpus.Item{item("a", 1, -1), item("b", 2, -1), item("c", 3, -1)}
	ordered[0].Image.Series, ordered[2].Image.Series = "cloud", "cloud"
	fetched := []corpus.Item{item("a", 1, -1), {Image: config.Image{Name: "unknown"}, Base: -1}}
	packed := []corpus.Item{item("a", 1, -1), item("b", 2, -1), item("c", 3, -1), item("d", 4, -1), item("e", 5, -1)}
	for i, from := range []*config.From{{Kind: config.FromDeb, Where: "p.deb", Member: "a"}, {Kind: config.FromDeb, Where: "q.deb"},
		{Kind: config.FromDeb, Where: "p.deb", Member: "c"}, {Kind: config.FromURL, Where: "u"}, {Kind: config.FromURL, Where: "u"}} {
		packed[i].Image.From = from
	}
	for _, tt := range []struct {
		name   string
		items  []corpus.Item
		limits Limits
		want   []string
	}{
		{"one part", kernels, Limits{Parts: 1}, []string{"a b c d e"}},
		{"longest first", kernels, Limits{Parts: 3}, []string{"b", "d e", "a c"}},
		{"a part per image", kernels, Limits{Parts: 9}, []string{"b", "e", "c", "a", "d"}},
		{"as many as are worth it", kernels, Limits{Parts: 9, Seconds: 12.1}, []string{"a b", "c d e"}},
		{"less than one is worth", kernels, Limits{Parts: 9, Seconds: 1000}, []string{"a b c d e"}},
		{"bases with what continues them", based, Limits{Parts: 9}, []string{"kernel m1 m2", "other"}},
		{"images of one package", packed, Limits{Parts: 9}, []string{"e", "d", "a c", "b"}},
		{"images that share a golden", sharing, Limits{Parts: 9}, []string{"a c", "b"}},
		{"images of a series", ordered, Limits{Parts: 9}, []string{"a c", "b"}},
		{"a size that is unknown", fetched, Limits{Parts: 9}, []string{"unknown", "a"}},
	} {
		got := images(Divide(tt.items, tt.limits))
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestDivideCovers: every image is in one part, whatever the limits, and the parts are about as long as each other.
func TestDivideCovers(t *testing.T) {
	var items []corpus.Item
	longest, total := 0.0, 0.0
	for i := range 1500 {
		s := 0.1 + float64(i*7919%1000)/100
		longest, total = max(longest, s), total+s
		base := -1
		if i%5 == 4 {
			base = i - 4
		}
		items = append(items, item(fmt.Sprintf("image-%d", i), s, base))
	}
	for _, n := range []int{1, 2, 17, 256, 5000} {
		p := Divide(items, Limits{Parts: n})
		if len(p.Parts) > n {
			t.Errorf("%d parts: got %d", n, len(p.Parts))
		}
		seen := map[string]int{}
		for i := range p.Parts {
			part := &p.Parts[i]
			if part.Part != i+1 || i > 0 && part.Seconds > p.Parts[i-1].Seconds {
				t.Errorf("%d parts: part %d has number %d and takes %g s", n, i+1, part.Part, part.Seconds)
			}
			if best := max(total/float64(n), 2*longest); part.Seconds > best*4/3 {
				t.Errorf("%d parts: part %d takes %g s, more than %g s", n, part.Part, part.Seconds, best*4/3)
			}
			for _, name := range part.Images {
				seen[name]++
			}
		}
		for i := range items {
			if seen[items[i].Image.Name] != 1 {
				t.Errorf("%d parts: %s is in %d parts", n, items[i].Image.Name, seen[items[i].Image.Name])
			}
		}
	}
}

// TestSeconds: what a shard knows of an image decides what it is predicted to cost.
func TestSeconds(t *testing.T) {
	for size, took := range map[int64]float64{205e6: 0.76, 409e6: 1.33, 588e6: 1.34} { // measured; see TestCost in cmd/btfbatch
		it := corpus.Item{File: corpus.File{Path: "vmlinux", Size: size}}
		if got := seconds(&it); got < took/1.5 || got > took*1.5 {
			t.Errorf("%d bytes: got %.2f s, it took %.2f s", size, got, took)
		}
		if xz := (corpus.Item{File: corpus.File{Path: "vmlinux.XZ", Size: size / 6}}); seconds(&xz) < 3*seconds(&it) {
			t.Errorf("%d bytes of xz: got %.2f s, and %.2f s for what they unpack to", size/6, seconds(&xz), seconds(&it))
		}
	}
	in := func(where, member string, size int64) corpus.Item {
		return corpus.Item{Image: config.Image{Name: member, From: &config.From{Kind: config.FromDeb, Where: where}}, Base: -1,
			File: corpus.File{Origin: corpus.Origin{Member: member, Facts: source.Facts{Size: size}}}}
	}
	together := func(items ...corpus.Item) float64 {
		total := 0.0
		for _, g := range together(items) {
			total += g.seconds
		}
		return total
	}
	local := together(in("k.deb", "boot/vmlinux-1", 320e6))
	remote := together(in("https://mirror/k.deb", "boot/vmlinux-1", 320e6))
	pinned := in("https://mirror/k.deb", "boot/vmlinux-1", 320e6)
	pinned.Image.From.SHA256 = strings.Repeat("a", 64)
	locked := in("https://mirror/k.deb", "boot/vmlinux-1", 0) // a lock has the size, and a task that has fetched nothing does not know it
	locked.Image.From.SHA256, locked.Pins.Lock = pinned.Image.From.SHA256, &corpus.Locked{Source: 320e6}
	modules := []corpus.Item{in("k.deb", "boot/vmlinux-1", 320e6)}
	for i := range 1138 {
		modules = append(modules, in("k.deb", fmt.Sprintf("kernel/%d.ko", i), 320e6))
	}
	for name, tt := range map[string]struct{ got, least, most float64 }{
		"a package":                  {local, 5, 10},                 // measured: 5.9 and 7.1 s
		"and 1,138 modules":          {together(modules...), 30, 50}, // measured: 40 s
		"a package of a mirror":      {remote - local, 2, 5},
		"all of it":                  {together(pinned) - local, 12, 15},
		"all of it, by its lock":     {together(locked), together(pinned), together(pinned)},
		"two images of one package":  {together(in("k.deb", "boot/vmlinux-1", 320e6), in("k.deb", "boot/vmlinux-2", 320e6)), local + 1, local + 2},
		"two packages, 1 image each": {together(in("k.deb", "boot/vmlinux-1", 320e6), in("l.deb", "boot/vmlinux-2", 320e6)), 2 * local, 2 * local},
	} {
		if tt.got < tt.least || tt.got > tt.most {
			t.Errorf("%s: got %.2f s, want %.2f to %.2f", name, tt.got, tt.least, tt.most)
		}
	}
	published := corpus.Item{Image: config.Image{Publish: []config.Publish{{To: "oci://r.example/o/r:t"}}}, File: corpus.File{Path: "vmlinux", Size: 205e6}}
	plain := corpus.Item{File: published.File}
	if more := seconds(&published) - seconds(&plain); more < 0.1 || more > 0.5 {
		t.Errorf("an artifact in a registry: got %.2f s", more)
	}
}

func TestMatrix(t *testing.T) {
	p := Divide([]corpus.Item{item("a", 1, -1), item("b\u202e", 9, -1), item("c", 4, -1)}, Limits{Parts: 2})
	var b bytes.Buffer
	if err := p.WriteMatrix(&b); err != nil {
		t.Fatal(err)
	}
	const want = `{"include":[{"part":1,"name":"b\u202e","images":1},{"part":2,"name":"a and 1 more","images":2}]}` + "\n"
	if b.String() != want {
		t.Errorf("got %s, want %s", b.String(), want)
	}
}

func TestRead(t *testing.T) {
	var plan bytes.Buffer
	if err := Divide([]corpus.Item{item("a", 1, -1), item("b", 9, -1), item("c", 4, -1)}, Limits{Parts: 2}).WriteJSON(&plan); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text string
		part       int
		want       string // names, or what the error contains
		fails      bool
	}{
		{"plan", plan.String(), 0, "a b c", false},
		{"part of a plan", plan.String(), 2, "a c", false},
		{"no such part", plan.String(), 3, "it has 2 parts, but no part 3", true},
		{"lines", "a\n\n b \r\nc", 0, "a b c", false},
		{"part of lines", "a\n", 1, "not a plan", true},
		{"empty", "", 0, "names no image", true},
		{"blank lines", "\n \n", 0, "names no image", true},
		{"empty plan", `{"schema":1,"images":[],"parts":[]}`, 0, "names no image", true},
		{"empty part", `{"schema":1,"images":["a"],"parts":[{"part":1}]}`, 1, "names no image", true},
		{"matrix in place of a plan", `{"include":[{"part":1}]}`, 1, "not a plan of schema 1", true},
		{"a later plan", `{"schema":2,"images":["a"]}`, 0, "not a plan of schema 1", true},
		{"words", "a\nThis is some text.\n", 0, "line 2 is not the name of an image", true},
		{"zeros", "a\x00", 0, "line 1 is not the name of an image", true},
		{"a report", `{"schema":1,"images":[{"name":"a"}]}`, 0, "not a plan of schema 1", true},
		{"cut", plan.String()[:plan.Len()/2], 0, "not a plan: ", true},
		{"twice", "a\nb\na\n", 0, `names "a" twice`, true},
	} {
		path := filepath.Join(t.TempDir(), "list")
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		names, err := Read(path, tt.part)
		got := strings.Join(names, " ")
		if err != nil {
			got = err.Error()
		}
		if tt.fails != (err != nil) || !strings.Contains(got, tt.want) || !tt.fails && got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if err != nil && !strings.HasPrefix(got, path) {
			t.Errorf("%s: the error %q does not name the file", tt.name, got)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "nowhere"), 0); err == nil {
		t.Error("a file that is missing was read")
	}
	var p Plan
	if err := json.Unmarshal(plan.Bytes(), &p); err != nil || p.Schema != 1 {
		t.Errorf("the plan is %+v: %v", p, err)
	}
}

// TestShares: the shares of a batch have every item once, items that depend on each other are in one share, and neither the order of the
// images nor the number of shares that are computed changes a share.
func TestShares(t *testing.T) {
	var items []corpus.Item
	for i := range 300 {
		base := -1
		if i%3 == 2 {
			base = i - 1
		}
		items = append(items, item(fmt.Sprintf("image-%03d", i*7%300), float64(1+i%5), base)) // many are equally long
	}
	turned := make([]corpus.Item, 0, len(items))
	for i := 0; i < len(items); i += 3 { // groups of one and of two items, in reverse order
		turned = append(turned, items[len(items)-3-i:len(items)-i]...)
	}
	for i := range turned {
		if turned[i].Base >= 0 {
			turned[i].Base = i - 1
		}
	}
	for _, n := range []int{1, 3, 17, 100, 400} {
		seen := map[int]int{}
		longest, shortest := 0.0, 1e9
		for i := range n {
			s, work, names := Share{i, n}, 0.0, map[string]bool{}
			for _, at := range s.Of(items) {
				seen[at]++
				work += seconds(&items[at])
				names[items[at].Image.Name] = true
				if base := items[at].Base; base >= 0 && !names[items[base].Image.Name] {
					t.Errorf("%s: %s is not behind its base", s, items[at].Image.Name)
				}
			}
			longest, shortest = max(longest, work), min(shortest, work)
			for _, at := range s.Of(turned) {
				if !names[turned[at].Image.Name] {
					t.Errorf("%s: in another order it also has %s", s, turned[at].Image.Name)
				}
			}
		}
		if len(seen) != len(items) {
			t.Errorf("%d shares have %d of %d images", n, len(seen), len(items))
		}
		for at, times := range seen {
			if times != 1 {
				t.Errorf("%d shares have %s %d times", n, items[at].Image.Name, times)
			}
		}
		if n <= 17 && longest-shortest > 10 {
			t.Errorf("%d shares take from %g to %g s", n, shortest, longest)
		}
	}
}

// TestAgain: the command names the shards without a complete report, or the images.
func TestAgain(t *testing.T) {
	part := func(name string, s *report.Shard, rows ...report.Row) report.Part {
		var names []string
		for _, row := range rows {
			names = append(names, row.Name)
		}
		r := report.New(names)
		r.Tool, r.Shard = report.Tool{Name: "btfbatch"}, s
		for _, row := range rows {
			r.Add(row)
		}
		return report.Part{Name: name, Report: r}
	}
	of := func(i int) *report.Shard {
		return &report.Shard{Index: i, Count: 4, Flags: []string{"--profile=pahole", "--earlier=a b"}}
	}
	done := func(name string) report.Row { return report.Row{Name: name, Types: 1} }
	bad := report.Row{Name: "b", Error: "503", Transient: true}
	all := []string{"a", "b", "c", "it's"}
	for _, tt := range []struct {
		name  string
		parts []report.Part
		want  string
	}{
		{"nothing is missing", []report.Part{part("r/0.json", of(0), done("a"), done("b"), done("c"), done("it's"))}, ""},
		{"a verdict is not repeated", []report.Part{part("r/0.json", of(0), done("a"), done("b"), done("c"), report.Row{Name: "it's", Error: "no types"})}, ""},
		{"lost", []report.Part{part("r/0.json", of(0), done("a")), part("r/1.json", of(1), done("b")), part("r/3.json", of(3), done("it's"))},
			"btfbatch run 'my m.yaml' --profile=pahole '--earlier=a b' --shard 2/4 --report json='my reports'/shard-2.json"},
		{"lost and unfinished", []report.Part{part("r s/0.json", of(0), done("a")), part("r s/1.json", of(1), bad), part("r s/3.json", of(3), done("it's"))},
			"for i in 1 2; do btfbatch run 'my m.yaml' --profile=pahole '--earlier=a b' --shard $i/4 --report json='my reports'/shard-$i.json; done"},
		{"finished later", []report.Part{part("r/0.json", of(0), done("a"), done("c")), part("r/1.json", of(1), bad), part("r/2.json", of(2), done("it's")),
			part("r/1b.json", of(1), done("b"))}, ""},
		{"no shards", []report.Part{part("r/0.json", nil, done("a"), done("b"))},
			`printf '%s\n' c 'it'\''s' | btfbatch run 'my m.yaml' --only-from - --report json='my reports/missing.json'`},
		{"no report", nil, `printf '%s\n' a b c 'it'\''s' | btfbatch run 'my m.yaml' --only-from - --report json='my reports/missing.json'`},
	} {
		merged, err := report.Merge(tt.parts, all)
		if err != nil {
			t.Fatal(err)
		}
		if got := Again(tt.parts, merged, "my m.yaml", "my reports"); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
