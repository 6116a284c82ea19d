package encoder

import "time"

// A Phase has the measurements of one pass of an encoding.
type Phase struct {
	Name    string
	Wall    time.Duration
	CPU     time.Duration // of the whole process, all threads
	Bytes   uint64        // read or written
	Items   uint64        // number of the things that Unit names
	Unit    string        // "CUs"
	Allocs  uint64        // objects allocated on the heap, as Hooks.Allocs counts them
	PeakRSS uint64        // of the process so far, in bytes; 0 if the system does not report it
}

// A Clock measures phases, one after another. The zero value is ready.
type Clock struct {
	Phases []Phase
	Allocs func() uint64 // as in Hooks
	wall   time.Time
	cpu    time.Duration
	allocs uint64
}

// startClock returns a clock whose first phase has begun.
func startClock(h *Hooks) *Clock {
	c := &Clock{Allocs: h.Allocs}
	c.Start()
	return c
}

// Start begins a phase.
func (c *Clock) Start() {
	c.wall = time.Now()
	c.cpu, _ = usage()
	c.allocs = c.count()
}

// count returns the number of objects that were allocated so far, 0 if nobody counts them.
func (c *Clock) count() uint64 {
	if c.Allocs == nil {
		return 0
	}
	return c.Allocs()
}

// Stop ends the phase and begins the next one. The parameters are the fields of Phase.
func (c *Clock) Stop(name string, bytes, items uint64, unit string) {
	cpu, peak := usage()
	c.Phases = append(c.Phases, Phase{Name: name, Wall: time.Since(c.wall), CPU: cpu - c.cpu, Bytes: bytes, Items: items, Unit: unit,
		Allocs: c.count() - c.allocs, PeakRSS: peak})
	c.Start()
}

// Add appends phases that another clock measured, and begins the next one.
func (c *Clock) Add(phases []Phase) {
	c.Phases = append(c.Phases, phases...)
	c.Start()
}
