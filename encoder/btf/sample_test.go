package btf

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

var orders = []struct {
	name  string
	order binary.ByteOrder
}{{"little endian", binary.LittleEndian}, {"big endian", binary.BigEndian}}

// sample is an object that has every kind once or more.
func sample(order binary.ByteOrder) *Object {
	o := New(order, nil)
	name := func(s string) uint32 { return o.Strings.Add([]byte(s)) }
	o.Append(name("int"), Info(KindInt, 0, false), 4, IntSigned<<24|32)             // 1
	o.Append(0, Info(KindPtr, 0, false), 4)                                         // 2
	o.Append(0, Info(KindArray, 0, false), 0, 1, 1, 7)                              // 3
	o.Append(name("list"), Info(KindStruct, 0, true), 16)                           // 4
	o.AppendElem(name("next"), 2, 0)                                                //
	o.AppendElem(name("bits"), 1, 3<<24|64)                                         //
	o.Append(0, Info(KindUnion, 1, false), 28, name("words"), 3, 0)                 // 5
	o.Append(name("color"), Info(KindEnum, 1, false), 4, name("RED"), 0xffffffff)   // 6
	o.Append(name("later"), Info(KindFwd, 0, true), 0)                              // 7
	o.Append(name("list_t"), Info(KindTypedef, 0, false), 4)                        // 8
	o.Append(0, Info(KindVolatile, 0, false), 1)                                    // 9
	o.Append(0, Info(KindConst, 0, false), 9)                                       // 10
	o.Append(0, Info(KindRestrict, 0, false), 2)                                    // 11
	o.Append(0, Info(KindFuncProto, 2, false), 1, name("first"), 2, 0, 0)           // 12
	o.Append(name("main"), Info(KindFunc, LinkageGlobal, false), 12)                // 13
	o.Append(name("counter"), Info(KindVar, 0, false), 1, LinkageGlobal)            // 14
	o.Append(name(".data..percpu"), Info(KindDatasec, 1, false), 64, 14, 32, 4)     // 15
	o.Append(name("double"), Info(KindFloat, 0, false), 8)                          // 16
	o.Append(name("tag"), Info(KindDeclTag, 0, false), 13, 0xffffffff)              // 17
	o.Append(name("user"), Info(KindTypeTag, 0, false), 1)                          // 18
	o.Append(name("wide"), Info(KindEnum64, 1, true), 8, name("MINUS"), 0xfffffffe, // 19
		0xffffffff)
	return o
}

// peerBTF is a file of pahole's making that another room keeps among its fixtures.
func peerBTF(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "golden", "dump", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
