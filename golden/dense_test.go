package golden

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	reference "github.com/btfbatch/btfbatch/corpus/peer"
	"github.com/btfbatch/btfbatch/encoder/btf"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/dense"
	"github.com/btfbatch/btfbatch/golden/dump"
)

// A dense golden differs in the same way as the raw dump that it stands for.
func TestCompareDense(t *testing.T) {
	o := peer(t)
	text := dump.AppendRaw(nil, o)
	other, err := ParseRaw(bytes.Replace(text, []byte("vlen=2\n\t'"), []byte("vlen=2\n\t'x"), 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := dense.Append(nil, other)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Compare(o, write(t, "dense", data), Options{})
	if err != nil || got.Verdict != Differs || got.Comparison == nil {
		t.Fatalf("got %+v, %v; want a comparison", got, err)
	}
	want, err := Compare(o, write(t, "raw", dump.AppendRaw(nil, other)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	keys := func(c *cause.Comparison) (text string) {
		for i := range c.Causes {
			text += c.Causes[i].Key + " "
		}
		return text
	}
	if keys(got.Comparison) != keys(want.Comparison) {
		t.Errorf("got causes %s, want %s", keys(got.Comparison), keys(want.Comparison))
	}
	for name, bad := range map[string][]byte{"cut": data[:len(data)-5], "version": []byte("# btfbatch-dense 9\n"), "long": append(bytes.Clone(data), make([]byte, 10<<20)...)} {
		res, err := Compare(o, write(t, name, bad), Options{})
		if err != nil || res.Verdict != Differs || res.Problem == "" {
			t.Errorf("%s: got %+v, %v; want a problem", name, res, err)
		}
	}
}

// The golden of a whole kernel, compressed, takes at most 1.25 MB.
func TestKernelGoldenSize(t *testing.T) {
	const most = 1_250_000
	t.Setenv("CI", "")
	for _, name := range []string{"6.1-cloud-amd64", "6.12-cloud-amd64"} {
		data := reference.Section(t, name, btf.SectionBTF)
		o, err := btf.Parse(data, nil)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), name+".raw.zst")
		if err := Update(path, Form{}, o, put); err != nil {
			t.Fatal(err)
		}
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes of BTF, %d bytes of golden", name, len(data), st.Size())
		if st.Size() > most {
			t.Errorf("%s: got %d bytes, want at most %d", name, st.Size(), most)
		}
		if res, err := Compare(o, path, Options{}); err != nil || res.Verdict != Equal {
			t.Errorf("%s: got %v, %v, want the verdict equal", name, res, err)
		}
	}
}
