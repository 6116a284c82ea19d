// Package costs shows how many bytes variables add to a BTF.
//
// Input: the encoder's counts. Output: tables for people, or JSON. Never: the package encodes and decides nothing.
package costs

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/btfbatch/btfbatch/encoder"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/escape"
)

// A Report has the costs of the variables of one image.
type Report struct {
	Image   string
	Profile string
	Costs   *encoder.Costs
}

// choices lists the choices of variables to encode, with their names in the text and in JSON.
func (r *Report) choices() []choice {
	return []choice{
		{"none", "none", &r.Costs.None, &r.Costs.Kinds[0]},
		{"per-CPU only", "percpu", &r.Costs.PerCPU, &r.Costs.Kinds[1]},
		{"all", "all", &r.Costs.All, &r.Costs.Kinds[2]},
	}
}

type choice struct {
	label, key string
	share      *encoder.Share
	kinds      *encoder.Kinds
}

// column is the format of the first column. It is left-aligned, and the numbers are right-aligned.
const column = "%-18v"

// WriteText writes three tables: the whole BTF by choice, the sections, and the kinds.
func (r *Report) WriteText(w io.Writer) error {
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s, profile %s: bytes of BTF\n\n", escape.Line(r.Image), r.Profile)
	none := r.Costs.None.Bytes()
	fmt.Fprintf(tab, column+"\tVARS\tDATASECS\tTYPES\tSTRINGS\tTOTAL\tADDED\tADDED %%\t\n", "VARIABLES")
	for _, c := range r.choices() {
		more := c.share.Bytes() - none
		percent := "-" // without variables, a split BTF may be empty
		if none > 0 {
			percent = fmt.Sprintf("%.2f", 100*float64(more)/float64(none))
		}
		fmt.Fprintf(tab, column+"\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t\n", c.label, c.share.Vars, c.share.Datasecs, c.share.TypeBytes,
			c.share.StringBytes, c.share.Bytes(), more, percent)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nall variables, by section\n\n")
	fmt.Fprintf(tab, column+"\tVARS\tTYPES\tSTRINGS\tTOTAL\t\n", "SECTION")
	for _, s := range r.Costs.Sections {
		fmt.Fprintf(tab, column+"\t%d\t%d\t%d\t%d\t\n", escape.Line(s.Name), s.Vars, s.TypeBytes, s.StringBytes, s.Bytes())
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\ntypes by kind\n\n")
	fmt.Fprintf(tab, column+"\tNONE\tPER-CPU\tALL\t\n", "KIND")
	for k := range btf.NumKinds {
		if n := &r.Costs.Kinds; n[2][k] > 0 {
			fmt.Fprintf(tab, column+"\t%d\t%d\t%d\t\n", k, n[0][k], n[1][k], n[2][k])
		}
	}
	return tab.Flush()
}

type shareJSON struct {
	Section     string         `json:"section,omitempty"`
	Vars        int            `json:"vars"`
	Datasecs    int            `json:"datasecs"`
	TypeBytes   int            `json:"type_bytes"`
	StringBytes int            `json:"string_bytes"`
	Bytes       int            `json:"bytes"`
	Kinds       map[string]int `json:"kinds,omitempty"`
}

func forJSON(s *encoder.Share) shareJSON {
	return shareJSON{Vars: s.Vars, Datasecs: s.Datasecs, TypeBytes: s.TypeBytes, StringBytes: s.StringBytes, Bytes: s.Bytes()}
}

// WriteJSON writes the same figures as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	sections := []shareJSON{}
	for i := range r.Costs.Sections {
		s := forJSON(&r.Costs.Sections[i].Share)
		s.Section = r.Costs.Sections[i].Name
		sections = append(sections, s)
	}
	variables := map[string]shareJSON{}
	for _, c := range r.choices() {
		v := forJSON(c.share)
		v.Kinds = map[string]int{}
		for k, n := range c.kinds {
			if n > 0 {
				v.Kinds[btf.Kind(k).String()] = n
			}
		}
		variables[c.key] = v
	}
	return escape.WriteJSON(w, struct {
		Image     string               `json:"image"`
		Profile   string               `json:"profile"`
		Variables map[string]shareJSON `json:"variables"`
		Sections  []shareJSON          `json:"sections"`
	}{r.Image, r.Profile, variables, sections}, "  ")
}
