package shard

import (
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
)

// debian are the sizes, in MB, of the packages with debug information of all amd64 kernels in Debian 12 and its security updates, in November 2026.
var debian = []int64{
	854, 281, 857, 854, 281, 857, 854, 282, 857, 856, 282, 859, 858, 283, 860, 858, 283, 860, 858, 283, 860,
	1032, 316, 1031, 1033, 317, 1033, 1033, 317, 1033, 1033, 317, 1034, 1033, 317, 1034,
}

// wrongBy is by how much a prediction is wrong: the duration of a kernel is between 0.8 and 1.2 times the predicted one, as the hash of its name
// says.
func wrongBy(name string) float64 {
	h := fnv.New64a()
	fmt.Fprint(h, name)
	return 0.8 + 0.4*float64(h.Sum64()>>11)/(1<<53)
}

// TestSimulation: 10,000 kernels on 1 to 500 tasks. The longest task takes at most a tenth more than it would if the work could be divided evenly,
// though predictions are wrong by up to a fifth. The table is that of docs/scale.md.
func TestSimulation(t *testing.T) {
	items := make([]corpus.Item, 10_000)
	total, longest := 0.0, 0.0
	took := make([]float64, len(items))
	for i := range items {
		name := fmt.Sprintf("kernel-%05d", i)
		items[i] = corpus.Item{Image: config.Image{Name: name, From: &config.From{Kind: config.FromApt, Where: name}}, Base: -1}
		items[i].Size, items[i].Origin.Member = debian[i%len(debian)]*1e6, "vmlinux"
		took[i] = seconds(&items[i]) * wrongBy(name)
		total, longest = total+took[i], max(longest, took[i])
	}
	var table strings.Builder
	for _, n := range []int{1, 10, 50, 100, 200, 500} {
		parts := divide(together(items), n)
		times := make([]float64, n)
		count := 0
		for p := range parts {
			for _, at := range parts[p].items {
				times[p] += took[at]
				count++
			}
		}
		if count != len(items) {
			t.Errorf("%d tasks have %d kernels", n, count)
		}
		worst, ideal := slices.Max(times), max(total/float64(n), longest)
		over := 100 * (worst/ideal - 1)
		fmt.Fprintf(&table, "| %d | %.2f | %.2f | %.1f %% |\n", n, ideal/3600, worst/3600, over)
		if over > 10 {
			t.Errorf("%d tasks: the longest takes %.1f %% more than the ideal", n, over)
		}
	}
	t.Logf("\n%s", &table)
	text, err := os.ReadFile("../../../docs/scale.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), table.String()) {
		t.Errorf("docs/scale.md lacks the table\n%s", &table)
	}
}
