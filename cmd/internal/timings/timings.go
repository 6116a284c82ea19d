// Package timings measures what a pass takes, and shows it.
//
// In come the encoder's phases and calls between passes; out comes a table for people or log lines for programs. It never decides
// what a pass is.
package timings

import (
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"github.com/btfbatch/btfbatch/encoder"
)

// A Meter measures phases, one after another.
type Meter struct {
	Phases []encoder.Phase
	wall   time.Time
	cpu    time.Duration
}

// Start begins a phase.
func (m *Meter) Start() {
	m.wall = time.Now()
	m.cpu, _ = usage()
}

// Stop ends the phase and begins the next. The numbers are as in encoder.Phase.
func (m *Meter) Stop(name string, bytes, items uint64, unit string) {
	cpu, peak := usage()
	m.Phases = append(m.Phases, encoder.Phase{Name: name, Wall: time.Since(m.wall), CPU: cpu - m.cpu, Bytes: bytes, Items: items, Unit: unit,
		PeakRSS: peak})
	m.Start()
}

// Add takes over phases that the encoder measured, and begins the next.
func (m *Meter) Add(phases []encoder.Phase) {
	m.Phases = append(m.Phases, phases...)
	m.Start()
}

// usage is the CPU time of the process, and the most memory that it had.
func usage() (cpu time.Duration, peak uint64) {
	var r unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &r) != nil {
		return 0, 0
	}
	peak = uint64(r.Maxrss)
	if runtime.GOOS != "darwin" { // the others count in KiB
		peak <<= 10
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), peak
}

// Total sums phases up. Its peak is that of the last one.
func Total(phases []encoder.Phase) encoder.Phase {
	t := encoder.Phase{Name: "total"}
	for i := range phases {
		t.Wall += phases[i].Wall
		t.CPU += phases[i].CPU
		t.PeakRSS = max(t.PeakRSS, phases[i].PeakRSS)
	}
	return t
}

// WriteTable writes a line for each phase, and their sum.
func WriteTable(w io.Writer, phases []encoder.Phase) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tab, "%-16s\tWALL ms\tCPU ms\tMB\tITEMS\t\tPEAK MiB\t\n", "PASS")
	for _, p := range append(phases[:len(phases):len(phases)], Total(phases)) {
		items := ""
		if p.Items > 0 {
			items = fmt.Sprint(p.Items)
		}
		fmt.Fprintf(tab, "%-16s\t%.1f\t%.1f\t%s\t%s\t%s\t%.1f\t\n", p.Name, ms(p.Wall), ms(p.CPU), megabytes(p.Bytes), items, p.Unit,
			float64(p.PeakRSS)/(1<<20))
	}
	return tab.Flush()
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// megabytes is empty where nothing is read or written.
func megabytes(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", float64(n)/1e6)
}
