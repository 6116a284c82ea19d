package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// TestSourcesJSON checks that names from packages and manifests cannot act on a terminal, and that programs read them as they are.
func TestSourcesJSON(t *testing.T) {
	const name = "a\u202e\u009b31m##[error]<b>"
	var b bytes.Buffer
	if err := writeSourcesJSON(&b, []resolved{{Name: name}}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"\u202e", "\u009b", "##[", `\u003c`} {
		if strings.Contains(b.String(), bad) {
			t.Errorf("got %q, which contains %q", b.String(), bad)
		}
	}
	var back struct{ Sources []resolved }
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || len(back.Sources) != 1 || back.Sources[0].Name != name {
		t.Errorf("read back %+v, %v", back, err)
	}
}
