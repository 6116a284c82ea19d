package btf

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
)

// compareSkimmed compares what Skim and Parse return for the same data.
func compareSkimmed(t *testing.T, data []byte, want *Object, wantErr error) {
	t.Helper()
	got, err := Skim(data)
	if wantErr != nil || err != nil {
		if wantErr == nil || err == nil || err.Error() != wantErr.Error() {
			t.Fatalf("Skim: got %v, want %v", err, wantErr)
		}
		return
	}
	if got.Len() != want.Len() || got.End() != want.End() {
		t.Fatalf("Skim: got %d types, want %d", got.Len(), want.Len())
	}
	if err, wantErr := got.CheckReferences(), want.CheckReferences(); (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
		t.Fatalf("CheckReferences: got %v, want %v", err, wantErr)
	}
	whole, at := got.Whole(), 0
	for _, out := range []*Outline{got.Outline(), want.Outline()} {
		at = 0
		for i, n := range out.Lengths() {
			id := want.First() + ID(i)
			r, _ := got.Record(id)
			switch w := want.At(id); {
			case !slices.Equal(r, w), !slices.Equal(out.At(id), w), !slices.Equal(whole.At(id), w):
				t.Fatalf("type %d: got %v, %v and %v, want %v", id, r, out.At(id), whole.At(id), w)
			case out.End(id, at) != at+len(w), n != Untold && int(n) != len(w), n == Untold && len(w) <= longest && id+1 < want.End():
				t.Fatalf("type %d: the length is %d, want %d", id, n, len(w))
			default:
				at += len(w)
			}
		}
	}
	if at != got.WordCount() {
		t.Fatalf("the lengths add up to %d of %d words", at, got.WordCount())
	}
}

// TestSkim: an outline gives every record, also after and between records whose length it does not hold.
func TestSkim(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	for i := range 200 {
		order := orders[i%2].order
		o := New(order, nil)
		for range r.IntN(60) {
			n := []int{0, 1, r.IntN(20), 83, 84, 85, 86, r.IntN(300)}[r.IntN(8)]
			switch r.IntN(3) {
			case 0:
				o.Append3(0, Info(KindPtr, 0, false), 0)
			case 1:
				o.Append3(0, Info(KindStruct, uint32(n), false), 4)
				o.Extend(make([]uint32, 3*n))
			default:
				o.Append3(0, Info(KindEnum, uint32(n), false), 4)
				o.Extend(make([]uint32, 2*n))
			}
		}
		data := o.AppendWire(nil)
		compareSkimmed(t, data, o, nil)
		for range 10 { // damaged lengths
			if words := o.WordCount(); words > 0 {
				order.PutUint32(data[HeaderLen+4*r.IntN(words):], Info(Kind(r.IntN(25)), r.Uint32N(100), false))
				want, err := Parse(data, nil)
				compareSkimmed(t, data, want, err)
			}
		}
	}
}

// TestSkimAt: access that would need the place of each record panics, and does not return another record.
func TestSkimAt(t *testing.T) {
	o, err := Skim(sample(binary.LittleEndian).AppendWire(nil))
	if err != nil {
		t.Fatal(err)
	}
	for name, access := range map[string]func(){
		"At": func() { o.At(3) }, "KindOf": func() { o.KindOf(1) }, "All": func() {
			for range o.All() {
			}
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			access()
		}()
	}
}
