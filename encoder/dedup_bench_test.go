package encoder

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/encoder/elf"
	"github.com/btfbatch/btfbatch/encoder/feature"
	"github.com/btfbatch/btfbatch/encoder/internal/dedup"
	"github.com/btfbatch/btfbatch/encoder/rules"
)

// BenchmarkDedup deduplicates the types of a lab kernel that the fast path leaves to the exact engine.
func BenchmarkDedup(b *testing.B) {
	for _, kernel := range []string{"6.1-cloud-amd64", "6.12-cloud-amd64"} {
		b.Run(kernel, func(b *testing.B) {
			wire, same := left(b, filepath.Join(reference.Lab(b), "kernels", kernel+".vmlinux"))
			b.ReportAllocs()
			least := time.Hour
			for range b.N {
				b.StopTimer()
				o, err := btf.Parse(wire, nil)
				if err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				start := time.Now()
				merge := dedup.New(o, dedup.Options{Peer: rules.Pahole})
				merge.Start()
				stats, err := merge.Finish(o, same)
				if err != nil {
					b.Fatal(err)
				}
				least = min(least, time.Since(start))
				b.ReportMetric(float64(stats.Before), "types")
			}
			b.ReportMetric(float64(least)/1e6, "least-ms") // the minimum is the least affected by other load
		})
	}
}

// left returns the BTF object of an image as it is before deduplication.
func left(b *testing.B, image string) (wire []byte, same map[btf.ID]btf.ID) {
	b.Helper()
	f, err := elf.Open(image)
	if err != nil {
		reference.Missing(b, "no kernel: %v", err)
	}
	defer f.Close()
	var beside openFiles
	defer beside.close()
	in, err := openImage(f, &Encoder{Options: Options{Profile: Pahole, Features: feature.Default(), LangExclude: []Language{0x1c}}}, &beside, true)
	if err != nil {
		b.Fatal(err)
	}
	units, err := joinUnits(context.Background(), in, false, startClock(&Hooks{}))
	if err != nil {
		b.Fatal(err)
	}
	m := units.funcs[0].Emission()
	m.Sort()
	m.Compare(units.object)
	if _, err := m.Emit(units.object, nil, nil); err != nil {
		b.Fatal(err)
	}
	if _, err := units.vars.Finish(units.object); err != nil {
		b.Fatal(err)
	}
	return units.object.AppendWire(nil), units.vars.Same()
}
