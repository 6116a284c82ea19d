package source_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

// FuzzPackages: no package causes a panic, nothing stays open, and every member that is taken out is a file of the package.
func FuzzPackages(f *testing.F) {
	entries := []synth.Entry{{Name: "b", Link: "a"}, {Name: "a", Body: []byte("\x7fELF")}, {Name: "c", Body: image(300, 1)}}
	f.Add(false, synth.DebOf(synth.Sums(entries...), "data.tar", synth.Tar(entries...)))
	f.Add(false, synth.Deb("data.tar", synth.XZ(synth.Tar(entries...), 700)))
	f.Add(true, synth.RPM(synth.Cpio(entries...), entries...))
	f.Add(true, synth.RPM(synth.XZ(synth.Cpio(entries...), 200)))
	f.Fuzz(func(t *testing.T, isRPM bool, data []byte) {
		kind := source.KindDeb
		if isRPM {
			kind = source.KindRPM
		}
		for _, ordered := range []bool{false, true} {
			o := &origin{data: data, ordered: ordered}
			p := source.NewPackage(source.Ref{Kind: kind}, o, source.Limits{Most: 1 << 20, Scratch: 1 << 20})
			list, err := p.Members(context.Background(), "?")
			if err == nil && len(list) == 0 {
				t.Error("got neither a member nor an error")
			}
			for _, m := range list {
				if b, err := contents(m); err == nil && !bytes.HasPrefix(b, []byte("\x7fELF")) {
					t.Errorf("%s: got %d bytes that are not an ELF file", m.Name, len(b))
				}
			}
			if n := o.open.Load(); n != 0 {
				t.Errorf("the package is open %d times", n)
			}
		}
	})
}
