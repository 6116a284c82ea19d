package batch

import "runtime"

// allocs returns the function that counts allocations, nil if nobody is told. It stops the program for some microseconds at each call. Package
// runtime/metrics would not, but every call of pahole would initialise it.
func (o *Options) allocs() func() uint64 {
	if o.Events.Phases == nil {
		return nil
	}
	return func() uint64 {
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		return s.Mallocs
	}
}
