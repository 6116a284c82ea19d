package btf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// TestFind: BTF is found among other bytes, at any alignment, and damaged BTF is an error that says where it is.
func TestFind(t *testing.T) {
	small := New(binary.LittleEndian, nil)
	small.Append(small.Strings.Add([]byte("int")), Info(KindInt, 0, false), 4, IntSigned<<24|32)
	split := bytes.Clone(small.AppendWire(nil))
	split[len(split)-len("\x00int\x00")] = 'x'
	for _, order := range orders {
		whole := sample(order.order).AppendWire(nil)
		wrong := bytes.Clone(whole)
		wrong[HeaderLen+2*recordWords*4] = 0xff // the name of the second record
		wrong[HeaderLen+2*recordWords*4+3] = 0xff
		cut := bytes.Clone(whole)
		order.order.PutUint32(cut[12:], order.order.Uint32(cut[12:])-4)
		for name, row := range map[string]struct {
			before, btf, after []byte
			err                string
		}{
			"alone":                {nil, whole, nil, ""},
			"odd offset":           {[]byte("abc"), whole, []byte("def"), ""},
			"magic numbers before": {[]byte("\x9f\xeb\x01\x00\x18\x00\x00\x00 \xeb\x9f\x01 \x9f\x9f\xeb\xeb\x9f"), whole, []byte("\x9f\xeb\x01"), ""},
			"after smaller":        {small.AppendWire(nil), whole, nil, ""},
			"before smaller":       {nil, whole, small.AppendWire(nil), ""},
			"after split":          {split, whole, nil, ""},
			"after damaged":        {append([]byte("abc"), wrong...), whole, nil, ""},
			"none":                 {[]byte("abc\x9f\xeb\x01\x00"), nil, nil, ErrNone.Error()},
			"empty":                {nil, nil, nil, ErrNone.Error()},
			"only split":           {nil, split, nil, ErrNone.Error()},
			"truncated":            {[]byte("abc"), whole[:len(whole)-1], nil, ErrNone.Error()},
			"name out of range":    {[]byte("abc"), wrong, nil, "what looks like BTF at 0x3: "},
			"record cut":           {[]byte("abc"), cut, nil, "what looks like BTF at 0x3: .BTF+"},
			"too many":             {bytes.Repeat(wrong, 70), whole, nil, "more than 64 places look like BTF"},
		} {
			got, off, err := Find(slices.Concat(row.before, row.btf, row.after))
			switch {
			case row.err != "":
				if err == nil || !strings.HasPrefix(err.Error(), row.err) || row.err == ErrNone.Error() && !errors.Is(err, ErrNone) {
					t.Errorf("%s, %s: got error %v, want %s", order.name, name, err, row.err)
				}
			case err != nil || off != len(row.before) || !bytes.Equal(got, row.btf):
				t.Errorf("%s, %s: got %d bytes at %d, %v, want %d at %d", order.name, name, len(got), off, err, len(row.btf), len(row.before))
			}
		}
	}
}

// TestFindIn: what is read in pieces is searched like what is there at once, wherever a piece ends. What would be too long is passed.
func TestFindIn(t *testing.T) {
	whole := sample(binary.LittleEndian).AppendWire(nil)
	long := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(long[20:], 1<<20)
	for i := range 2 * LongHeaderLen {
		before := append(bytes.Clone(long), make([]byte, findWindow-len(long)-LongHeaderLen+i)...)
		data := slices.Concat(before, whole, []byte("\x9f\xeb"))
		for name, r := range map[string]io.Reader{"one byte": iotest.OneByteReader(bytes.NewReader(data)), "at once": bytes.NewReader(data), "end with data": iotest.DataErrReader(bytes.NewReader(data))} {
			got, off, n, err := FindIn(r, len(whole))
			if !bytes.Equal(got, whole) || off != int64(len(before)) || n != int64(len(data)) || err != nil {
				t.Errorf("%d, %s: got %d bytes at %d of %d, %v, want %d at %d of %d", i, name, len(got), off, n, err, len(whole), len(before), len(data))
			}
			if i%16 != 0 { // one byte at a time takes long
				break
			}
		}
	}
	if _, _, n, err := FindIn(bytes.NewReader(whole), len(whole)-1); !errors.Is(err, ErrNone) || n != int64(len(whole)) {
		t.Errorf("too long: got %v after %d bytes", err, n)
	}
	broken := errors.New("broken")
	if got, _, _, err := FindIn(io.MultiReader(bytes.NewReader(whole), iotest.ErrReader(broken)), len(whole)); !errors.Is(err, broken) || got != nil {
		t.Errorf("a broken reader: got %d bytes, %v", len(got), err)
	}
}
