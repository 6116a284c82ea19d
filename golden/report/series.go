package report

import (
	"errors"
	"fmt"
)

// A Series is the place of an image among similar images, which are ordered by the releases of their kernels.
type Series struct {
	Name  string       `json:"name"`
	After *Predecessor `json:"after,omitempty"` // what the image was compared with; nil if it was not, or if it is the first
}

// A Predecessor is the image that another one was compared with, and what its BTF has.
type Predecessor struct {
	Name    string `json:"name"`
	Release string `json:"release"`
	Types   int    `json:"types"`
	Funcs   int    `json:"funcs"`
	PerCPU  int    `json:"percpu_vars"`
	Earlier bool   `json:"earlier_run,omitempty"` // it is known from the report of an earlier run
}

// with returns a copy whose texts are changed by a function.
func (s *Series) with(f func(string) string) *Series {
	if s == nil {
		return nil
	}
	to := Series{Name: f(s.Name)}
	if s.After != nil {
		a := *s.After
		a.Name, a.Release = f(a.Name), f(a.Release)
		to.After = &a
	}
	return &to
}

// note says what the image was compared with.
func (s *Series) note() string {
	if s.After == nil {
		return fmt.Sprintf("series %s: not compared", s.Name)
	}
	return fmt.Sprintf("series %s: %s", s.Name, s.After)
}

// String describes the image and its BTF in a few words.
func (p *Predecessor) String() string {
	of := ""
	if p.Earlier {
		of = ", of an earlier run"
	}
	return fmt.Sprintf("after %s (release %s%s; %d types, %d functions, %d per-CPU variables)", p.Name, p.Release, of, p.Types, p.Funcs, p.PerCPU)
}

// check checks a series by itself.
func (s *Series) check() error {
	a := s.After
	switch {
	case s.Name == "":
		return errors.New("name is empty")
	case a != nil && (a.Name == "" || a.Release == ""):
		return errors.New("after has no name or no release")
	case a != nil && min(a.Types, a.Funcs, a.PerCPU) < 0:
		return errors.New("after has a negative number")
	}
	return nil
}
