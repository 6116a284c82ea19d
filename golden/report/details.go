package report

import (
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/measure"
)

// Details are measurements of one image for reports that draw pictures. They are only taken if such a report is wanted.
type Details struct {
	Sizes  *measure.Sizes `json:"sizes,omitempty"`
	Start  float64        `json:"start_seconds"` // from the start of the run
	Phases []Phase        `json:"phases,omitempty"`

	// The stored form of a report does not have these, which are large. The dump of the image and its golden have the same facts.

	PerCPU *measure.Section `json:"-"`
	// Layouts are those of changed structs, by the key of the cause. An image does not have the layout of a cause that an earlier one has.
	Layouts map[string]*cause.Layout `json:"-"`
}

// A Phase is the measurement of one step of an image.
type Phase struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"cpu_seconds"`              // of the process, all threads
	PeakRSS uint64  `json:"peak_rss_bytes,omitempty"` // of the process so far; 0 if the system does not report it
}

// MaxLayouts is the number of layouts that a comparison is asked for.
const MaxLayouts = 24

// Compare adds what a comparison with the golden says about variables and structs. Both may be nil.
func (d *Details) Compare(c *cause.Comparison) {
	if d == nil || c == nil {
		return
	}
	d.PerCPU.Against(c)
	if len(c.Layouts) == 0 {
		return
	}
	d.Layouts = make(map[string]*cause.Layout, len(c.Layouts))
	for i := range c.Layouts {
		l := &c.Layouts[i]
		d.Layouts[c.Causes[l.Cause-1].Key] = l
	}
	c.Layouts = nil // once can release them only here
}

// SetPhases sets the phases, if there are details.
func (d *Details) SetPhases(list []Phase) {
	if d != nil {
		d.Phases = list
	}
}

// once removes the layouts that an earlier image has. known holds their keys.
func (d *Details) once(known map[string]bool) {
	if d == nil {
		return
	}
	for key := range d.Layouts {
		if known[key] {
			delete(d.Layouts, key)
		}
		known[key] = true
	}
}

// A Setup is what a run was asked to do, for reports that show it.
type Setup struct {
	Command string    // that repeats the run, as a shell takes it; "" if it is not known
	Common  []Setting // that all images have
	Images  []ImageSetup
}

// An ImageSetup has the settings in which an image differs from the others, after defaults and matrix were expanded.
type ImageSetup struct {
	Name     string
	Settings []Setting
}

// A Setting is a key of the manifest and its value.
type Setting struct{ Key, Value string }
