// Package sorted sorts the types of a BTF object by name, for kernels that find names by binary search.
//
// Input: a finished BTF object. Output: a new one with the same types under new ids, with all references updated. Strings, header and
// layout section are unchanged, and so is the base of split BTF. Never: the package does not add, remove or change types.
//
// The order is that of the kernel's build tool: types without a name come first, the others are sorted by the bytes of their names. Types with
// equal names keep their order.
//
// Byte order: the result has the order of its argument. There are no errors: the references of the object must be valid, as in results of
// package encoder (btf.Object.CheckReferences).
//
// Stability: see package encoder.
package sorted
