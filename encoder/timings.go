package encoder

import (
	"runtime/metrics"
	"time"
)

// A Phase is one pass of an encoding, measured: what it took and what went through it.
type Phase struct {
	Name    string
	Wall    time.Duration
	CPU     time.Duration // of the whole process, all threads
	Bytes   uint64        // read or written
	Items   uint64        // what Unit says
	Unit    string        // "CUs"
	Allocs  uint64        // objects that were allocated on the heap
	PeakRSS uint64        // of the process so far, in bytes; 0 where the system does not tell
}

// A Clock measures phases, one after another. The zero value is ready.
type Clock struct {
	Phases []Phase
	wall   time.Time
	cpu    time.Duration
	allocs uint64
}

// startClock is a clock whose first phase has begun.
func startClock() *Clock {
	c := &Clock{}
	c.Start()
	return c
}

// Start begins a phase.
func (c *Clock) Start() {
	c.wall = time.Now()
	c.cpu, _ = usage()
	c.allocs = allocs()
}

// Stop ends the phase and begins the next. The numbers are as in Phase.
func (c *Clock) Stop(name string, bytes, items uint64, unit string) {
	cpu, peak := usage()
	c.Phases = append(c.Phases, Phase{Name: name, Wall: time.Since(c.wall), CPU: cpu - c.cpu, Bytes: bytes, Items: items, Unit: unit,
		Allocs: allocs() - c.allocs, PeakRSS: peak})
	c.Start()
}

// allocs is how many objects the process has allocated on the heap so far.
func allocs() uint64 {
	sample := [1]metrics.Sample{{Name: "/gc/heap/allocs:objects"}}
	metrics.Read(sample[:])
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}

// Add takes over phases that another clock measured, and begins the next.
func (c *Clock) Add(phases []Phase) {
	c.Phases = append(c.Phases, phases...)
	c.Start()
}
