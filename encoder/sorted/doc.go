// Package sorted puts the types of an object in the order of their names, for kernels that search names by bisection.
//
// Input: a finished BTF object. Output: a new one with the same types under other ids, with all references updated. Strings, header and
// layout section are unchanged, and so is the base of split BTF. Never: the package does not add, remove or change types.
//
// The order is that of the kernel's build tool: types without a name first, then by name, byte by byte. Types with equal
// names keep their order.
//
// Byte order: the result has the order of its argument. There are no errors: the references of the object must be right, as those of
// a result of package encoder are (btf.Object.CheckReferences).
//
// Stability: see package encoder.
package sorted
