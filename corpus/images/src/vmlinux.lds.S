/*
 * TEXT_BASE: where the image starts. ZERO_BASED: per-CPU variables get addresses from 0, as x86-64 had it before 6.15.
 */
PHDRS
{
	text PT_LOAD FLAGS(7);
	percpu PT_LOAD FLAGS(6);
	init PT_LOAD FLAGS(7);
}

SECTIONS
{
	. = TEXT_BASE;
	.text : { *(.text .text.*) } :text
	.rodata : { *(.rodata .rodata.* .sdata2 .srodata*) }
	.opd : { *(.opd) }
	.got : { *(.toc .got .got.plt .got2) }
	.data : { *(.data .data.rel* .sdata .sdata.*) }
	. = ALIGN(64);
#ifdef ZERO_BASED
	__per_cpu_load = .;
	.data..percpu 0 : AT(__per_cpu_load) {
#else
	.data..percpu : {
#endif
		__per_cpu_start = .;
		*(.data..percpu..first)
		*(.data..percpu)
		. = ALIGN(64);
		*(.data..percpu..shared_aligned)
		__per_cpu_end = .;
	} :percpu
#ifdef ZERO_BASED
	. = __per_cpu_load + SIZEOF(.data..percpu);
#endif
	.init.text : { *(.init.text) } :init
	.BTF_ids : { *(.BTF_ids) }
	.notes : { *(.note.Linux) }
	.bss : { *(.sbss .sbss.* .bss .bss.* COMMON) }

	/DISCARD/ : {
		*(.discard .discard.*)
		*(.eh_frame .note.* .comment .ARM.exidx* .ARM.attributes .riscv.attributes .gnu.attributes)
		*(.MIPS.abiflags .reginfo .pdr .mdebug.* .MIPS.options)
	}
}
