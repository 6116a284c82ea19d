package cause

import (
	"os"
	"strings"
	"testing"
)

// TestRulesInDocs: docs/golden.md has a row for each rule, with its severity and text.
func TestRulesInDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/golden.md")
	if err != nil {
		t.Fatal(err)
	}
	words := map[Severity]string{Break: "breaks", Neutral: "neutral", Add: "adds"}
	for _, r := range Rules {
		row := "| `" + string(r.Name) + "` | " + words[r.Severity] + " | " + strings.ToUpper(r.Text[:1]) + r.Text[1:] + ". |"
		if strings.Count(string(text), row) != 1 {
			t.Errorf("docs/golden.md does not have the row %s", row)
		}
	}
}
