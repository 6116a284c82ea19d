package history_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/btfbatch/btfbatch/golden"
	"github.com/btfbatch/btfbatch/golden/cause"
	"github.com/btfbatch/btfbatch/golden/history"
)

// input is an object of a raw dump.
func input(t *testing.T, name, text string) cause.Input {
	t.Helper()
	o, err := golden.ParseRaw([]byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return cause.Input{Object: o, Name: name}
}

const (
	intDump  = "[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n"
	pairDump = intDump + "[2] STRUCT 'pair' size=8 vlen=2\n\t'a' type_id=1 bits_offset=0\n\t'b' type_id=1 bits_offset=32\n"
	unitDump = intDump + "[2] TYPEDEF 'pair' type_id=1\n"
	bothDump = intDump + "[2] STRUCT 'pair' size=4 vlen=1\n\t'a' type_id=1 bits_offset=0\n[3] STRUCT 'pair' size=8 vlen=1\n\t'b' type_id=1 bits_offset=0\n"
	// The same two, in the other order, and a declaration, which does not count beside them.
	swapDump = intDump + "[2] STRUCT 'pair' size=8 vlen=1\n\t'b' type_id=1 bits_offset=0\n[3] STRUCT 'pair' size=4 vlen=1\n\t'a' type_id=1 bits_offset=0\n[4] FWD 'pair' fwd_kind=struct\n"
	onlyDump = "[1] FWD 'pair' fwd_kind=struct\n"
)

func TestStretches(t *testing.T) {
	for _, tt := range []struct {
		name, dumps, look, want string // dumps: names, separated by blanks
	}{
		{"the same twice", "pair pair", "pair", "pair..pair 2 true"},
		{"gone in between", "pair int pair", "pair", "pair..pair 1 true, int..int 1 false, pair..pair 1 true"},
		{"declared, then defined", "only pair", "pair", "only..only 1 true, pair..pair 1 true"},
		{"several of one name in another order", "both swap", "pair", "both..swap 2 true"},
		{"one of several is gone", "both pair", "pair", "both..both 1 true, pair..pair 1 true"},
		{"member of one of several", "both pair", "pair.b", "both..both 1 true, pair..pair 1 true"},
		{"one kind asked for", "pair unit", "typedef:pair", "pair..pair 1 false, unit..unit 1 true"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := build(t, tt.dumps, tt.look)
			if err := h.Check(); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range h.Stretches {
				got = append(got, s.Since+".."+s.Until+" "+string(rune('0'+s.Files))+map[bool]string{true: " true", false: " false"}[s.There])
			}
			if got := strings.Join(got, ", "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func build(t *testing.T, dumps, name string) *history.History {
	t.Helper()
	h, err := history.New(name)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"int": intDump, "pair": pairDump, "unit": unitDump, "both": bothDump, "swap": swapDump, "only": onlyDump}
	for d := range strings.FieldsSeq(dumps) {
		h.Add(input(t, d, texts[d]))
	}
	return h
}

// TestAmbiguous: kinds count over all files.
func TestAmbiguous(t *testing.T) {
	var a *history.Ambiguous
	if err := build(t, "pair unit", "pair").Check(); !errors.As(err, &a) || len(a.Kinds) != 2 {
		t.Errorf("got %v, want a name of two kinds", err)
	}
	if err := build(t, "int", "pair").Check(); err == nil || errors.As(err, &a) {
		t.Errorf("got %v, want an error about a missing name", err)
	}
}

// TestHostileNames: neither form prints a control character of a name.
func TestHostileNames(t *testing.T) {
	h, err := history.New("evil\x1b[2J")
	if err != nil {
		t.Fatal(err)
	}
	h.Add(input(t, "a\x1bb", "[1] INT 'evil\x1b[2J' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n"))
	if err := h.Check(); err != nil {
		t.Fatal(err)
	}
	for _, write := range []func(b *bytes.Buffer) error{
		func(b *bytes.Buffer) error { return h.Text(b) }, func(b *bytes.Buffer) error { return h.JSON(b) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "\x1b") || !strings.Contains(b.String(), "evil") {
			t.Errorf("got %q, want the name without the escape character", b.String())
		}
	}
}
