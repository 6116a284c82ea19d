package dedup

import (
	"errors"
	"fmt"
)

// maxDepth bounds recursion, which no stack could hold for what a hostile image can say. Kernels need less than a thousand.
const maxDepth = 1 << 18

var errDepth = fmt.Errorf("types refer to each other too deeply (through more than %d others)", maxDepth)

// Limits of the work, in types that were looked at, the same one perhaps many times. There are inputs for which the exact answer takes
// the square of their size. Kernels need six for each type.
const (
	minSteps        = 1 << 26
	maxStepsPerType = 1 << 9
)

var errSteps = errors.New("types have too many others that look alike, and to compare them all would take too long")

// pauseEvery is how many types are looked at, the same one perhaps many times, before Options.Stop is asked.
const pauseEvery = 1 << 14

// pause counts a type that was looked at, and asks now and then whether the run is to end.
func (e *engine) pause() error {
	if e.work++; e.work < pauseEvery {
		return nil
	}
	return e.ask()
}

func (e *engine) ask() error {
	if e.spent += e.work; e.spent > e.most {
		return errSteps
	}
	e.work = 0
	if e.stop == nil {
		return nil
	}
	return e.stop()
}

// located is an error of which the type that was processed is the place, if it has none yet.
func (e *engine) located(id uint32, err error) error {
	if err != errDepth && err != errSteps { //nolint:errorlint // wrapped they have a place
		return err
	}
	r := e.rec(id)
	if r.Name() == 0 {
		return fmt.Errorf("type %d, a %s: %w", id, r.Kind(), err)
	}
	return fmt.Errorf("type %d, %s %q: %w", id, r.Kind(), e.o.Name(r.Name()), err)
}
