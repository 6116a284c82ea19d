package shard

import (
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/cmd/internal/cost"
	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
)

// debian are the sizes, in MB, of the packages with debug information of all amd64 kernels in Debian 12 and its security updates, in November 2026.
var debian = []int64{
	854, 281, 857, 854, 281, 857, 854, 282, 857, 856, 282, 859, 858, 283, 860, 858, 283, 860, 858, 283, 860,
	1032, 316, 1031, 1033, 317, 1033, 1033, 317, 1033, 1033, 317, 1034, 1033, 317, 1034,
}

// What a batch meets outside of a task. These are assumptions, and not measured here.
const (
	mirrorRate   = 1.25e9 // bytes per second that a mirror sends to all tasks: 10 Gbit/s
	registryRate = 500    // requests per second, that a registry answers
	submitted    = 0.7    // seconds, that a scheduler takes to start a task: measured with Slurm
)

// wrongBy is by how much a prediction is wrong: what happens takes between 0.8 and 1.2 times the predicted time, as the hash of a name says.
func wrongBy(name string) float64 {
	h := fnv.New64a()
	fmt.Fprint(h, name)
	return 0.8 + 0.4*float64(h.Sum64()>>11)/(1<<53)
}

// kernelsOf are 10,000 kernels, one for each package of an archive, which are published in a registry. pinned says that digests are known, as with a
// lock, so that whole packages are fetched.
func kernelsOf(pinned bool) []corpus.Item {
	items := make([]corpus.Item, 10_000)
	for i := range items {
		name := fmt.Sprintf("kernel-%05d", i)
		items[i] = corpus.Item{Image: config.Image{Name: name, From: &config.From{Kind: config.FromApt, Where: name}, Publish: []config.Publish{{To: "oci://r.example/o/btf:" + name}}}, Base: -1}
		items[i].Origin.Size, items[i].Origin.Member = debian[i%len(debian)]*1e6, "boot/vmlinux-1"
		if pinned {
			items[i].Image.From.SHA256 = strings.Repeat("a", 64)
		}
	}
	return items
}

// A simulated batch is how long its longest task takes, and how long that would be if the work could be divided evenly, in seconds.
type simulated struct {
	longest, ideal float64
	limit          string
	cpu, fetched   float64 // of all tasks: seconds and bytes
}

// A shared is something that tasks share: all that use it at a time get equally much of it, and none more than its link allows.
type shared struct {
	link, all float64         // per second
	given     float64         // what each user has got, since the beginning
	users     map[int]float64 // by task: the value of given at which it has what it wants
}

func (s *shared) rate() float64 { return min(s.link, s.all/float64(max(len(s.users), 1))) }

// next returns the user that has what it wants first, and in how many seconds; -1 if there is none.
func (s *shared) next() (task int, in float64) {
	task, in = -1, math.Inf(1)
	for t, until := range s.users {
		if d := (until - s.given) / s.rate(); d < in || d == in && t < task {
			task, in = t, d
		}
	}
	return task, in
}

// run returns the ends of tasks. Each does one thing after another: it is started, and for each of its images it fetches, computes and publishes.
func run(tasks [][]cost.Cost, begin float64) (ends []float64) {
	mirror := &shared{link: cost.Link, all: mirrorRate, users: map[int]float64{}}
	registry := &shared{link: 1 / cost.RoundTrip, all: registryRate, users: map[int]float64{}}
	computing := map[int]float64{} // by task: when it ends
	step, now := make([]int, len(tasks)), 0.0
	ends = make([]float64, len(tasks))
	for t := range tasks {
		computing[t], step[t] = begin, -1
	}
	advance := func(t int) {
		step[t]++
		image, phase := step[t]/3, step[t]%3
		if image == len(tasks[t]) {
			ends[t] = now
			return
		}
		switch c := tasks[t][image]; phase {
		case 0:
			mirror.users[t] = mirror.given + c.Fetched
		case 1:
			computing[t] = now + c.CPU
		case 2:
			registry.users[t] = registry.given + c.Requests
		}
	}
	for len(computing)+len(mirror.users)+len(registry.users) > 0 {
		first, in := -1, math.Inf(1)
		for t, end := range computing {
			if end-now < in || end-now == in && t < first {
				first, in = t, end-now
			}
		}
		from := computing
		for _, s := range []*shared{mirror, registry} {
			if t, d := s.next(); d < in {
				first, in, from = t, d, s.users
			}
		}
		now += in
		for _, s := range []*shared{mirror, registry} {
			s.given += in * s.rate()
		}
		delete(from, first)
		advance(first)
	}
	return ends
}

// simulate runs a batch as n tasks with a processor each. The ideal divides the work evenly among tasks that need not wait for each other, and is
// not shorter than what the mirror or the registry needs for all of it, or than the longest image.
func simulate(t *testing.T, items []corpus.Item, n int) (s simulated) {
	t.Helper()
	tasks, all, most, count := make([][]cost.Cost, n), cost.Cost{}, 0.0, 0
	for p, part := range divide(together(items), n) {
		for _, at := range part.items {
			im := imageOf(&items[at])
			c := im.Cost()
			c.Add(packageCost([]*corpus.Item{&items[at]}))
			name := items[at].Image.Name
			c.CPU, c.Fetched = c.CPU*wrongBy(name+" processor"), c.Fetched*wrongBy(name+" network")
			tasks[p] = append(tasks[p], c)
			all.Add(c)
			most = max(most, c.Seconds())
			count++
		}
	}
	if count != len(items) {
		t.Errorf("%d tasks have %d kernels", n, count)
	}
	begin := submitted + cost.Program().CPU
	s.cpu, s.fetched = all.CPU, all.Fetched
	s.longest = slices.Max(run(tasks, begin))
	for _, limit := range []struct {
		name string
		time float64
	}{{"its tasks", max(all.Seconds()/float64(n), most)}, {"the mirror", all.Fetched / mirrorRate}, {"the registry", all.Requests / registryRate}} {
		if time := begin + limit.time; time > s.ideal {
			s.ideal, s.limit = time, limit.name
		}
	}
	return s
}

// TestSimulation: 10,000 kernels on 1 to 500 tasks. The longest task takes at most a tenth more than it would if the work could be divided evenly,
// though predictions are wrong by up to a fifth. The tables are those of docs/scale.md.
func TestSimulation(t *testing.T) {
	text, err := os.ReadFile("../../../docs/scale.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, pinned := range []bool{true, false} {
		items := kernelsOf(pinned)
		var table strings.Builder
		for _, n := range []int{1, 10, 50, 100, 200, 500} {
			s := simulate(t, items, n)
			over := max(100*(s.longest/s.ideal-1), 0)
			fmt.Fprintf(&table, "| %d | %.2f | %.2f | %.1f %% | %.1f | %s |\n", n, s.ideal/3600, s.longest/3600, over, s.fetched/s.longest*8/1e9, s.limit)
			if over > 10 {
				t.Errorf("pinned: %v, %d tasks: the longest takes %.1f %% more than the ideal", pinned, n, over)
			}
			if n == 1 {
				t.Logf("pinned: %v: %.1f hours of a processor, %.2f TB", pinned, s.cpu/3600, s.fetched/1e12)
			}
		}
		t.Logf("\n%s", &table)
		if !strings.Contains(string(text), table.String()) {
			t.Errorf("docs/scale.md lacks the table\n%s", &table)
		}
	}
}
