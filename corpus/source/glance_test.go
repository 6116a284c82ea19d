package source_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/source"
	"github.com/btfbatch/btfbatch/corpus/synth"
)

// A pinned is a package on a server with a digest. It counts looks, and can show another package than it sends.
type pinned struct {
	origin
	shown  *origin
	sum    string
	looked int
}

func (p *pinned) Facts() source.Facts {
	return source.Facts{Size: int64(len(p.data)), SHA256: p.sum, Network: true}
}

func (p *pinned) Look(ctx context.Context) (*source.Blob, error) {
	p.looked++
	return p.shown.Open(ctx)
}

func debWith(files ...synth.Entry) []byte {
	return synth.DebOf(synth.Sums(files...), "data.tar", synth.Tar(files...))
}

// TestGlance: the files of a package with a pin are known before all of it is read. When one is opened, the package is compared with its digest, and
// with what was said about it.
func TestGlance(t *testing.T) {
	one, other := synth.Entry{Name: kernel, Body: image(1000, 1)}, synth.Entry{Name: kernel + "-b", Body: image(1000, 2)}
	pkg := debWith(one)
	sum := sha256.Sum256(pkg)
	digest := hex.EncodeToString(sum[:])
	for _, tt := range []struct {
		name, sum   string
		data, shown []byte
		glanced     bool // the list of files is believed until it is opened
		want        string
	}{
		{"as it is", digest, pkg, pkg, true, ""},
		{"another digest", strings.Repeat("0", 64), pkg, pkg, true, "sha256: the package has"},
		{"it shows other files first", digest, pkg, debWith(one, other), true, "the package changed while it was fetched"},
		{"it shows nothing that matches", digest, pkg, debWith(synth.Entry{Name: "usr/share/doc"}), false, ""},
		{"it shows no package", digest, pkg, []byte("<html>"), false, ""},
	} {
		o := &pinned{origin: origin{data: tt.data}, shown: &origin{data: tt.shown}, sum: tt.sum}
		p := source.NewPackage(source.Ref{Kind: source.KindDeb, SHA256: tt.sum}, o, limits)
		list, err := p.Members(context.Background(), kernel+"*")
		if err != nil || len(list) == 0 {
			t.Errorf("%s: got %v, %v", tt.name, list, err)
			continue
		}
		glanced := o.opened.Load() == 0
		if glanced != tt.glanced || o.looked != 1 {
			t.Errorf("%s: it was looked at %d times and opened %d times", tt.name, o.looked, o.opened.Load())
		}
		compared := 0
		p.WhenCompared(func() { compared++ })
		if glanced != (compared == 0) {
			t.Errorf("%s: it counts as compared %d times before it is opened", tt.name, compared)
		}
		for _, m := range list {
			data, err := contents(m)
			switch {
			case tt.want == "" && (err != nil || string(data) != string(one.Body)):
				t.Errorf("%s: got %d bytes, %v", tt.name, len(data), err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
			}
		}
		if good := tt.want == ""; (compared == 1) != good {
			t.Errorf("%s: in the end it counts as compared %d times", tt.name, compared)
		}
		if n := o.open.Load() + o.shown.open.Load(); n != 0 {
			t.Errorf("%s: it was not closed %d times", tt.name, n)
		}
	}
}
