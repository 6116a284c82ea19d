package encoder

import "time"

// A Phase is one pass of an encoding, measured: what it took and what went through it.
type Phase struct {
	Name    string
	Wall    time.Duration
	CPU     time.Duration // of the whole process, all threads
	Bytes   uint64        // read or written
	Items   uint64        // what Unit says
	Unit    string        // "CUs"
	PeakRSS uint64        // of the process so far, in bytes; 0 where the system does not tell
}

// A clock measures phases, one after another. The zero value is ready.
type clock struct {
	phases []Phase
	wall   time.Time
	cpu    time.Duration
}

// start begins a phase.
func (c *clock) start() {
	c.wall = time.Now()
	c.cpu, _ = usage()
}

// stop ends the phase and begins the next.
func (c *clock) stop(name string, bytes, items uint64, unit string) {
	cpu, peak := usage()
	c.phases = append(c.phases, Phase{Name: name, Wall: time.Since(c.wall), CPU: cpu - c.cpu, Bytes: bytes, Items: items, Unit: unit, PeakRSS: peak})
	c.start()
}
