// Package btf holds BTF: kinds, type ids, the flat type table, the string table, and the wire format both ways.
//
// Input: type records and strings, or the bytes of a .BTF section. Output: an Object, or those bytes. Never: the package does not
// check whether types make sense (package verify does), and does not read ELF or DWARF.
//
// Byte order: records are held as words in the byte order of the machine. Object.Order is the order of the bytes: Parse finds it, and
// AppendWire uses it. Offsets and sizes are in bytes, unless a name says bits.
//
// Errors: Parse returns a *FormatError, which names the byte, counted from the start of the BTF.
//
// An Object may be read by several goroutines at once, as long as nobody appends to it or makes an index of its strings.
//
// Stability: see package encoder.
package btf
