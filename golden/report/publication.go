package report

import (
	"fmt"
	"slices"
	"strings"
)

// A Publication says where the outputs of an image are in a store.
type Publication struct {
	To     string `json:"to"`     // address of the artifact in a registry, or of the file of sums
	SHA256 string `json:"sha256"` // of the manifest in a registry, or of the file of sums
	State  string `json:"state"`  // one of publicationStates
}

// publicationStates are the states of a Publication: it was not in the store, it was there, or something else was there.
var publicationStates = []string{"new", "there", "replaced"}

// published counts what was published, by state. It is empty if nothing was.
func (r *Report) published() string {
	count := map[string]int{}
	for _, row := range r.rows {
		for _, p := range row.Published {
			count[p.State]++
		}
	}
	var list []string
	for _, state := range publicationStates {
		if n := count[state]; n > 0 {
			list = append(list, fmt.Sprintf("%d %s", n, state))
		}
	}
	return strings.Join(list, ", ")
}

// check checks a publication by itself.
func (p *Publication) check() error {
	switch {
	case !slices.Contains(publicationStates, p.State):
		return fmt.Errorf("state %q is not known", p.State)
	case p.To == "" || p.SHA256 == "" || !digest(p.SHA256):
		return fmt.Errorf("it must have an address and a digest")
	}
	return nil
}
