package btf

// The sections of an ELF file that hold BTF or that BTF is about.
const (
	SectionBTF    = ".BTF"          // types and strings
	SectionBase   = ".BTF.base"     // of a module: the distilled base that its .BTF continues
	SectionIDs    = ".BTF_ids"      // sets of type ids that the kernel itself refers to; the kernel's build fills them in
	SectionPerCPU = ".data..percpu" // the variables of which each CPU has its own copy
)
