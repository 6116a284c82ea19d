package dwarf_test

import (
	stddwarf "debug/dwarf"
	"fmt"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/corpus/synth"
	"github.com/btfbatch/btfbatch/encoder/internal/dwarf"
)

// TestOps: operations with all kinds of operands are decoded.
func TestOps(t *testing.T) {
	rows := []struct {
		name string
		expr []byte
		want string // code, A and B of each operation; empty if one cannot be decoded
	}{
		{"registers and literals", []byte{0x30, 0x4f, 0x50, 0x6f}, "30 4f 50 6f"},
		{"base registers", []byte{0x70, 0x7f, 0x8f, 0x80, 0x01}, "70:ffffffffffffffff 8f:80"},
		{"constants", []byte{0x08, 0xff, 0x0a, 0x01, 0x02, 0x0c, 1, 2, 3, 4, 0x10, 0x80, 0x01, 0x11, 0x7f}, "08:ff 0a:201 0c:4030201 10:80 11:ffffffffffffffff"},
		{"address", []byte{0x03, 1, 2, 3, 4, 5, 6, 7, 8}, "03:807060504030201"},
		{"frame, piece, value", []byte{0x91, 0x70, 0x93, 0x08, 0x9f}, "91:fffffffffffffff0 93:8 9f"},
		{"bregx, bit_piece", []byte{0x92, 0x05, 0x7f, 0x9d, 0x03, 0x04}, "92:5:ffffffffffffffff 9d:3:4"},
		{"entry value", []byte{0xa3, 0x01, 0x55, 0x9f}, "a3:2:1 9f"},
		{"GNU entry value", []byte{0xf3, 0x01, 0x55}, "f3:2:1"},
		{"implicit value", []byte{0x9e, 0x02, 0xaa, 0xbb, 0x30}, "9e:2:2 30"},
		{"implicit pointer", []byte{0xa0, 1, 0, 0, 0, 0x7f}, "a0:1:ffffffffffffffff"},
		{"typed", []byte{0xa4, 0x05, 0x02, 1, 2, 0xa5, 0x01, 0x02, 0xa8, 0x03, 0x30}, "a4:5 a5:1:2 a8:3 30"},
		{"branch and call", []byte{0x28, 1, 0, 0x2f, 2, 0, 0x98, 3, 0, 0x99, 4, 0, 0, 0}, "28:1 2f:2 98:3 99:4"},
		{"thread variables", []byte{0x0e, 1, 0, 0, 0, 0, 0, 0, 0, 0xe0, 0x9b}, "0e:1 e0 9b"},
		{"indexed", []byte{0xa1, 0x03, 0xa2, 0x04, 0xfb, 0x05, 0xfc, 0x06}, "a1:3 a2:4 fb:5 fc:6"},
		{"nothing", nil, " "},
		{"unknown", []byte{0x30, 0x02}, ""},
		{"cut short in an address", []byte{0x03, 1, 2, 3}, ""},
		{"cut short in a number", []byte{0x10, 0x80}, ""},
		{"cut short in a second operand", []byte{0x92, 0x05}, ""},
		{"block past the end", []byte{0xa3, 0x05, 0x55}, ""},
		{"typed block past the end", []byte{0xa4, 0x05, 0x09, 1}, ""},
		{"cut short behind the opcode", []byte{0x08}, ""},
	}
	u := firstUnit(t, open(t, synth.Sample(synth.Target{}).Bytes()))
	for _, r := range rows {
		ops, ok := u.Ops(nil, r.expr)
		got := ""
		if ok {
			got = opsText(ops) + " "
		}
		if strings.TrimSpace(got) != strings.TrimSpace(r.want) || ok != (r.want != "") {
			t.Errorf("%s: got %q, %v, want %q", r.name, got, ok, r.want)
		}
	}
}

func opsText(ops []dwarf.Op) string {
	var out []string
	for _, op := range ops {
		s := fmt.Sprintf("%02x", op.Code)
		if op.A != 0 || op.B != 0 {
			s += fmt.Sprintf(":%x", op.A)
		}
		if op.B != 0 {
			s += fmt.Sprintf(":%x", op.B)
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// TestLists: location lists in every version and form have the right entries and numbers.
func TestLists(t *testing.T) {
	reg := synth.OpReg
	at := synth.Abs(0x1000)
	old := []synth.LocEntry{synth.LocBase(at), synth.LocRange(4, 4, reg(1)), synth.LocRange(4, 8), synth.LocBase(at), synth.LocRange(8, 12, reg(2), synth.OpPiece(4))}
	rows := []struct {
		name    string
		entries []synth.LocEntry
		want    string
		from    int // the first DWARF version with this form
	}{
		{"ranges and bases", old, "0=51 1= 2=52 93:4", 2},
		{"every kind", []synth.LocEntry{synth.LocBasex(at), synth.LocStartxEndx(at, at, reg(1)), synth.LocStartxLength(at, 4, reg(2)), synth.LocDefault(reg(3)),
			synth.LocStartEnd(at, at, reg(4)), synth.LocStartLength(at, 4, reg(5)), synth.LocRange(0, 300, reg(6))}, "0=51 1=52 2=53 3=54 4=55 5=56", 5},
		{"nothing", nil, "", 2},
		{"ends at what cannot be decoded", []synth.LocEntry{synth.LocRange(0, 4, reg(1)), synth.LocRange(4, 8, synth.OpRaw(2)), synth.LocRange(8, 12, reg(3))}, "0=51", 2},
		{"ends at an unknown kind", []synth.LocEntry{synth.LocRange(0, 4, reg(1)), synth.LocRaw(0x99), synth.LocRange(4, 8, reg(2))}, "0=51", 5},
		{"view pairs", []synth.LocEntry{synth.LocRange(0, 4, reg(1)), synth.LocRaw(9, 1, 2), synth.LocRange(4, 8, reg(2))}, "0=51", 5},
		{"expression past the section", []synth.LocEntry{synth.LocRange(0, 4, reg(1)), synth.LocRaw(4, 1, 2, 0xff, 0xff, 0x7f)}, "0=51", 5},
	}
	for _, target := range synth.Targets() {
		for _, r := range rows {
			if target.DWARF < r.from {
				continue
			}
			forms := []synth.Form{synth.FormSecOffset}
			switch {
			case target.DWARF < 4:
				forms = []synth.Form{synth.FormData4}
			case target.DWARF == 5:
				forms = append(forms, synth.FormLoclistx)
			}
			for _, form := range forms {
				b := synth.New(target)
				cu := b.CU("a.c", synth.C11)
				cu.DIE(stddwarf.TagFormalParameter, synth.LocList(stddwarf.AttrLocation, form, synth.LocRange(0, 1, reg(9)))) // another list before it
				d := cu.DIE(stddwarf.TagFormalParameter, synth.LocList(stddwarf.AttrLocation, form, r.entries...))
				read(t, b, d, func(u *dwarf.Unit, c *dwarf.Cursor, _ *dwarf.Data) {
					if got := locationText(u, c.Location()); got != r.want {
						t.Errorf("%v, form %#x, %s: got %q, want %q", target, uint32(form), r.name, got, r.want)
					}
				})
			}
		}
	}
}

func locationText(u *dwarf.Unit, loc dwarf.Location) string {
	var (
		l   dwarf.Locations
		out []string
	)
	l.Each(u, loc, func(k int, ops []dwarf.Op, _ []byte) bool {
		out = append(out, fmt.Sprintf("%d=%s", k, opsText(ops)))
		return true
	})
	return strings.Join(out, " ")
}

// TestLongList: lists can be longer than the window.
func TestLongList(t *testing.T) {
	for _, version := range []int{4, 5} {
		var entries []synth.LocEntry
		for i := range 6000 {
			entries = append(entries, synth.LocRange(uint64(i), uint64(i)+1, synth.OpConstu(uint64(i)), synth.OpStackValue()))
		}
		b := synth.New(synth.Target{DWARF: version})
		d := b.CU("a.c", synth.C11).DIE(stddwarf.TagFormalParameter, synth.LocList(stddwarf.AttrLocation, synth.FormSecOffset, entries...))
		read(t, b, d, func(u *dwarf.Unit, c *dwarf.Cursor, _ *dwarf.Data) {
			var l dwarf.Locations
			n := 0
			l.Each(u, c.Location(), func(k int, ops []dwarf.Op, _ []byte) bool {
				if k != n || len(ops) != 2 || ops[0].A != uint64(n) {
					t.Fatalf("DWARF %d: entry %d: got %d: %s", version, n, k, opsText(ops))
				}
				n++
				return true
			})
			if n != len(entries) {
				t.Errorf("DWARF %d: got %d entries, want %d", version, n, len(entries))
			}
			l.Each(u, c.Location(), func(k int, _ []dwarf.Op, _ []byte) bool {
				if k > 0 {
					t.Errorf("DWARF %d: entry %d after the walk was ended", version, k)
				}
				return false
			})
		})
	}
}

// TestAddress is rule 01/6.9, for expressions.
func TestAddress(t *testing.T) {
	rows := []struct {
		name string
		ops  []synth.Op
		want uint64
		ok   bool
	}{
		{"addr", []synth.Op{synth.OpAddr(synth.Abs(0x1000))}, 0x1000, true},
		{"addrx", []synth.Op{synth.OpAddrx(synth.Abs(0x2000))}, 0x2000, true},
		{"plus_uconst", []synth.Op{synth.OpAddr(synth.Abs(0x1000)), synth.OpPlusUconst(8)}, 0x1008, true},
		{"more", []synth.Op{synth.OpAddr(synth.Abs(0x1000)), synth.OpPlusUconst(8), synth.OpStackValue()}, 0x1000, true},
		{"something else", []synth.Op{synth.OpAddr(synth.Abs(0x1000)), synth.OpLit(1)}, 0x1000, true},
		{"not first", []synth.Op{synth.OpLit(1), synth.OpAddr(synth.Abs(0x1000))}, 0, false},
		{"no table", []synth.Op{synth.OpU(0xa1, 1<<33)}, 0, false},
		{"cut short", []synth.Op{synth.OpRaw(0x03, 1)}, 0, false},
		{"nothing", nil, 0, false},
	}
	for _, r := range rows {
		b := synth.New(synth.Target{})
		cu := b.CU("a.c", synth.C11)
		d := cu.DIE(stddwarf.TagVariable, cu.Loc(r.ops...))
		read(t, b, d, func(u *dwarf.Unit, c *dwarf.Cursor, _ *dwarf.Data) {
			if got, ok, _ := u.Address(c.Val[dwarf.SlotExpr]); ok != r.ok || ok && got != r.want {
				t.Errorf("%s: got %#x, %v, want %#x, %v", r.name, got, ok, r.want, r.ok)
			}
		})
	}
}

func FuzzOps(f *testing.F) {
	for _, seed := range [][]byte{{0x03, 1, 2, 3, 4, 5, 6, 7, 8, 0x23, 8}, {0xa3, 1, 0x55, 0x9f}, {0x55, 0x93, 8, 0x54, 0x93, 8}, {0x92, 5, 0x7f}, {0xa4, 5, 2, 1, 2}} {
		f.Add(seed)
	}
	var units []*dwarf.Unit
	for _, target := range synth.Targets() {
		units = append(units, firstUnit(f, open(f, synth.Sample(target).Bytes())))
	}
	f.Fuzz(func(t *testing.T, expr []byte) {
		for _, u := range units {
			ops, ok := u.Ops(nil, expr)
			if len(ops) > len(expr) {
				t.Fatalf("got %d operations of %d bytes", len(ops), len(expr))
			}
			var l dwarf.Locations
			if _, single := l.Sub(u, expr); single != (ok && len(ops) == 1) {
				t.Fatalf("%x: single is %v, with %d operations (%v)", expr, single, len(ops), ok)
			}
			for _, op := range ops {
				if op.Code == dwarf.OpEntryValue && op.A+op.B > uint64(len(expr)) {
					t.Fatalf("%x: block at %d of %d bytes", expr, op.A, op.B)
				}
			}
		}
	})
}
