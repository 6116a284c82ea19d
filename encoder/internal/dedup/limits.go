package dedup

import (
	"errors"
	"fmt"
)

// maxDepth bounds recursion: a hostile image could exhaust any stack. Kernels need less than a thousand levels.
const maxDepth = 1 << 18

var errDepth = fmt.Errorf("references between types are nested too deeply (more than %d levels)", maxDepth)

// Limits of the work, in visits of types; a type may be visited many times. For some inputs, the exact answer takes a number of
// visits that is the square of their size. Kernels need six visits per type.
const (
	minSteps        = 1 << 26
	maxStepsPerType = 1 << 9
)

var errSteps = errors.New("too many types have equal signatures, and comparing them all would take too long")

// pauseEvery is the number of visits of types after which Options.Stop is called.
const pauseEvery = 1 << 14

// pause counts a visit of a type. From time to time it calls ask, which returns an error if the run is to end.
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

// located adds the type that was being processed to an error that names none.
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
