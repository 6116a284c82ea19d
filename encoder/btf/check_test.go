package btf

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

func TestCheckReferences(t *testing.T) {
	end := sample(binary.LittleEndian).Strings.End()
	for _, tt := range []struct {
		name  string
		id    ID // the record to change
		word  int
		value uint32
		want  string // in the error
	}{
		{"pointer to the last type", 2, 2, 19, ""},
		{"pointer past the last type", 2, 2, 20, "type 2 (PTR) refers to type 20 of 20"},
		{"array element", 3, 3, 99, "type 3 (ARRAY) refers to type 99 of 20"},
		{"array index", 3, 4, 98, "type 3 (ARRAY) refers to type 98 of 20"},
		{"array length is no id", 3, 5, 1 << 30, ""},
		{"struct size is no id", 4, 2, 1 << 30, ""},
		{"member type", 4, 7, 20, "type 4 (STRUCT) has an element that refers to type 20 of 20"},
		{"member name", 4, 6, 1 << 20, "type 4 (STRUCT) has an element whose name"},
		{"enumerator name", 6, 3, 1 << 20, "type 6 (ENUM) has an element whose name"},
		{"own name", 7, 0, 1 << 20, "type 7 (FWD) has its name at 0x100000 of"},
		{"own name behind the last byte", 7, 0, end, fmt.Sprintf("type 7 (FWD) has its name at %#x of %#x bytes", end, end)},
		{"own name at the last byte", 7, 0, end - 1, ""},
		{"member name behind the last byte", 4, 6, end, fmt.Sprintf("type 4 (STRUCT) has an element whose name is at %#x of %#x bytes", end, end)},
		{"member name at the last byte", 4, 6, end - 1, ""},
		{"parameter", 12, 4, 20, "type 12 (FUNC_PROTO) has an element that refers to type 20"},
		{"return type", 12, 2, 21, "type 12 (FUNC_PROTO) refers to type 21 of 20"},
		{"function of an int", 13, 2, 1, "type 13 (FUNC) refers to type 1, which is not a FUNC_PROTO"},
		{"function of void", 13, 2, 0, "type 13 (FUNC) refers to type 0, which is not a FUNC_PROTO"},
		{"section entry", 15, 3, 20, "type 15 (DATASEC) has an element that refers to type 20"},
		{"tag", 17, 2, 20, "type 17 (DECL_TAG) refers to type 20"},
	} {
		o := sample(binary.LittleEndian)
		o.At(tt.id)[tt.word] = tt.value
		err := o.CheckReferences()
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: got %v, want none", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestCheckReferencesSplit(t *testing.T) {
	o := New(binary.LittleEndian, sample(binary.LittleEndian))
	o.Append(o.Strings.Add([]byte("f")), Info(KindFunc, 0, false), 12)
	o.Append(0, Info(KindPtr, 0, false), uint32(o.First())+1)
	if err := o.CheckReferences(); err != nil {
		t.Error(err)
	}
	o.Append(0, Info(KindPtr, 0, false), uint32(o.End())+1)
	if o.CheckReferences() == nil {
		t.Error("a type that does not exist was not found out")
	}
}
