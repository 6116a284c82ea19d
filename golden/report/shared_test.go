package report

import (
	"fmt"
	"testing"
)

// TestShared: equal lists of rows are one, and rows keep what they have.
func TestShared(t *testing.T) {
	const n = 6
	var names []string
	for i := range n {
		names = append(names, fmt.Sprint(i))
	}
	r := New(names)
	for i := range n {
		r.Add(Row{Name: names[i], Types: 1, Arch: string([]byte("x86_64")), Features: []string{"var", "float"},
			Dropped: []Drop{{"var", "a", i / 2}, {"func", "b", 1}}, Verify: []Verification{{Kernel: "6.1", Accepted: true}},
			Warnings: []Warning{{Rule: "unpinned", Count: 1, Examples: []string{fmt.Sprint(i / 3)}}}})
	}
	rows := r.Rows()
	for i := range rows {
		row, first := &rows[i], &rows[0]
		if len(row.Features) != 2 || row.Features[1] != "float" || len(row.Verify) != 1 || row.Verify[0].Kernel != "6.1" || row.Arch != "x86_64" {
			t.Errorf("row %d is %+v", i, row)
		}
		if row.Dropped[0] != (Drop{"func", "b", 1}) || row.Dropped[1] != (Drop{"var", "a", i / 2}) || row.Warnings[0].Examples[0] != fmt.Sprint(i/3) {
			t.Errorf("row %d has %v and %v of another row", i, row.Dropped, row.Warnings)
		}
		if &row.Features[0] != &first.Features[0] || &row.Verify[0] != &first.Verify[0] {
			t.Errorf("row %d has a copy of what row 0 has", i)
		}
		if same := &row.Dropped[0] == &first.Dropped[0]; same != (i < 2) {
			t.Errorf("row %d shares what was left out with row 0: %v", i, same)
		}
	}
}
