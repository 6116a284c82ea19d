// Package selected writes and reads goldens of selected declarations: text for version control, in which types are given by name.
//
// Input: a BTF object (btf.Object) and a Selection; or the text of a golden. Output: the text; or a Golden, whose BTF object holds the
// selected declarations, and stubs for the types that they mention. Never: the package does not read files, and does not compare.
//
// A golden looks like this:
//
//	# btfbatch-golden 1
//	select .data..percpu
//	select task_struct
//
//	struct task_struct 9792 {
//		struct thread_info thread_info @0
//		struct task_struct *parent @2240
//		char[16] comm @3008
//		unsigned int flag @3024:1
//		unsigned int other @3024.1:1
//		union 8 {
//			int a @3032
//			long int b @3032
//		} @3032
//	}
//
//	section .data..percpu 229632 {
//		struct rq runqueues global @16384 3456
//	}
//
//	size struct rq 3456
//
// Declarations are sorted by kind and name. A type is spelled as in C, except that the name of a member, variable or parameter comes last:
// `char[16] comm`, `int (void *) handler` for a function, `int (void *) *handler` for a pointer to one. The number after a member's @ is
// its offset in bytes, from the start of the outermost declaration's own level; .N adds bits, and :N is the width of a bit field. `size`
// lines have the sizes of types that selected declarations hold by value and that are not selected themselves. Names that are no
// identifiers are quoted as in Go.
package selected
