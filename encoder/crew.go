package encoder

import "sync"

// The problem: a batch has thousands of modules. Workers and units take some megabytes, which would be allocated, cleared and collected again for each
// module, and most modules need only a part of them.
//
// The idea: the memory of a small image is kept for the next one. What refers to the image is forgotten, so nothing of it reaches another image.

// A crew is the workers of an image, and the units that they pass around.
type crew struct {
	workers []worker
	units   []*unit
}

// crews are those of small images that were translated. The collector takes what is not used for a while.
var crews sync.Pool

// smallImage is the size of .debug_info in bytes up to which the memory of an image is kept. The passes of a large image need it themselves.
const smallImage = 32 << 20

// newCrew returns a crew for the given number of workers.
func newCrew(workers int) *crew {
	c, _ := crews.Get().(*crew)
	if c == nil {
		c = new(crew)
	}
	for len(c.workers) < workers {
		c.workers = append(c.workers, worker{})
	}
	for len(c.units) < unitsPerWorker*workers+1 {
		c.units = append(c.units, new(unit))
	}
	return c
}

// dismiss keeps the crew for another image. Nobody may use it any more.
func (c *crew) dismiss() {
	for i := range c.workers {
		w := &c.workers[i]
		w.raw.Forget()
		w.split.Forget()
		w.tr.Forget()
		w.funcs.Forget()
	}
	for _, u := range c.units {
		u.types.Forget()
		u.funcs.Forget()
		*u = unit{types: u.types, funcs: u.funcs}
	}
	crews.Put(c)
}
