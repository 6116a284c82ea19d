// Package timings prints what the passes of an encoding took.
//
// Input: measured phases. Output: a table. Never: the package measures nothing.
package timings

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/btfbatch/btfbatch/encoder"
)

// Total adds up phases. Its peak is the highest one.
func Total(phases []encoder.Phase) encoder.Phase {
	t := encoder.Phase{Name: "total"}
	for i := range phases {
		t.Wall += phases[i].Wall
		t.CPU += phases[i].CPU
		t.Allocs += phases[i].Allocs
		t.PeakRSS = max(t.PeakRSS, phases[i].PeakRSS)
	}
	return t
}

// WriteTable writes a line for each phase and one for the total.
func WriteTable(w io.Writer, phases []encoder.Phase) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tab, "%-16s\tWALL ms\tCPU ms\tMB\tITEMS\t\tALLOCS\tPEAK MiB\t\n", "PASS")
	for _, p := range append(phases[:len(phases):len(phases)], Total(phases)) {
		items := ""
		if p.Items > 0 {
			items = fmt.Sprint(p.Items)
		}
		fmt.Fprintf(tab, "%-16s\t%.1f\t%.1f\t%s\t%s\t%s\t%d\t%.1f\t\n", p.Name, ms(p.Wall), ms(p.CPU), megabytes(p.Bytes), items, p.Unit,
			p.Allocs, float64(p.PeakRSS)/(1<<20))
	}
	return tab.Flush()
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// megabytes is empty if nothing is read or written.
func megabytes(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", float64(n)/1e6)
}
