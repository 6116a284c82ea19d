package batch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

// TestOwnInPackage: the BTF of images in a package is compared with their own, also that of a module whose base is in the package, and the
// report says which file of which package that is.
func TestOwnInPackage(t *testing.T) {
	dir := t.TempDir()
	module := filepath.Join(dir, "module")
	if err := os.WriteFile(module, another(t), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("  - {name: k, path: %s, outputs: {elf: %s/k.elf}}\n  - {name: m, path: %s, base: k, features: var, outputs: {elf: %[2]s/m.elf}}\n",
		sample(t), dir, module)
	for _, row := range Run(context.Background(), Jobs(manifest(t, text), ""), Options{}).Rows() {
		if row.Error != "" {
			t.Fatal(row.Error)
		}
	}
	entries := []synth.Entry{{Name: "boot/k"}, {Name: "lib/m"}}
	for i, name := range []string{"k.elf", "m.elf"} {
		var err error
		if entries[i].Body, err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	pkg := filepath.Join(dir, "k.deb")
	if err := os.WriteFile(pkg, synth.DebOf(synth.Sums(entries...), "data.tar", synth.Tar(entries...)), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := config.Parse(filepath.Join(dir, "m.yaml"), []byte(`version: 1
defaults: {from: {deb: k.deb}, golden: {policy: image}}
images:
  - {name: k, from: {member: boot/k}}
  - {name: m, from: {member: lib/m}, base: k}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Images {
		m.Images[i].Kind = config.AnyKind
	}
	items := corpus.Resolve(context.Background(), m, corpus.Sources{Limits: source.Limits{Most: 1 << 30}})
	rows := Run(context.Background(), Jobs(items, ""), Options{}).Rows()
	for i, want := range []string{": boot/k (.BTF)", ": lib/m (.BTF)"} {
		row := rows[i]
		if row.Error != "" || row.Golden == nil || row.Golden.Path != pkg+want {
			t.Errorf("%s: got error %q, golden %+v; want a comparison with %s", row.Name, row.Error, row.Golden, pkg+want)
		}
	}
	if rows[1].Golden != nil && rows[1].Golden.Summary == "byte for byte" {
		t.Error("the own BTF of the base was not needed")
	}
}
