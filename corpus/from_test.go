package corpus

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/config"
	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

// TestFrom: the files of a package are the items of their entry, in its order, with what the package and their paths say.
func TestFrom(t *testing.T) {
	dir := t.TempDir()
	elf := append([]byte("\x7fELF"), make([]byte, 100)...)
	entries := []synth.Entry{{Name: "usr/lib/debug/lib/modules/6.1/kernel/a.ko", Body: elf}, {Name: "usr/lib/debug/lib/modules/6.1/kernel/b.ko", Body: elf},
		{Name: "usr/lib/debug/lib/modules/6.1/vmlinux", Body: elf}}
	if err := os.WriteFile(filepath.Join(dir, "k.deb"), synth.DebOf(synth.Sums(entries...), "data.tar", synth.Tar(entries...)), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := config.Parse(filepath.Join(dir, "m.yaml"), []byte(`version: 1
defaults: {from: {deb: k.deb}}
images:
  - {from: {member: "**/*.ko"}, base: "k-${{ image.release }}"}
  - {name: "k-${{ image.release }}"}
  - {name: none, from: {member: none}}
  - {name: far, from: {url: "https://example.org/vmlinux"}}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	items := Resolve(context.Background(), m, Sources{Limits: source.Limits{Most: 1 << 20}})
	var got []string
	for i := range items {
		it := &items[i]
		text := fmt.Sprintf("%s base %d", it.Image.Name, it.Base)
		if it.Err != nil {
			text = it.Image.Name + ": " + strings.ReplaceAll(it.Err.Error(), dir, "DIR")
		} else if it.Origin.Package != "sample" || it.Origin.Version != "1:6.1-2~x" || it.Origin.Path != filepath.Join(dir, "k.deb") || it.Pins.IsRelease != "6.1" {
			t.Errorf("%s: got %+v, %+v", it.Image.Name, it.Origin, it.Pins)
		}
		got = append(got, text)
	}
	want := []string{"k-6.1 base -1", "a base 0", "b base 0", "none: DIR/k.deb: none of the 3 files in the package matches none",
		"far: url=https://example.org/vmlinux: this needs a network, which the command does not use"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	Forget(items, items[:1]) // the other files are no longer wanted, and do not wait
	if f, err := items[0].Source.Open(context.Background()); err != nil {
		t.Error(err)
	} else if err := f.Close(); err != nil {
		t.Error(err)
	}
}
