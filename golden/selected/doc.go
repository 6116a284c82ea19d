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
//		struct thread_info thread_info
//		struct task_struct *parent
//		char[16] comm
//		unsigned int flag:1
//		struct sched_entity se align 64
//		union 8 {
//			int a
//			long int b
//		}
//	}
//
//	section .data..percpu 229632 {
//		struct debug_store cpu_debug_store @4096
//		struct rq runqueues static align 64
//	}
//
//	size struct rq 3456 align 64
//
// Declarations are sorted by kind and name. A type is spelled as in C, except that the name of a member, variable or parameter comes last:
// `char[16] comm`, `int (void *) *handler` for a pointer to a function. The number after the name of a type or section is its size in bytes.
// place.go explains how places are written: a member says only what does not follow from the one before. `size` lines have the sizes of
// types that selected declarations hold by value and that are not selected themselves. Names that are no identifiers are quoted as in Go.
package selected
