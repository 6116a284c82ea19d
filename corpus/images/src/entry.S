/* A unit of the assembler: no types but one that is unspecified, no parameters. */
	.text
	.globl entry
	.type entry, %function
entry:
	nop
	nop
	.size entry, . - entry

	.type entry_local, %function
entry_local:
	nop
	.size entry_local, . - entry_local

	/* as kernels say whether link-time optimisation made them */
	.section .note.Linux, "a", %note
	.balign 4
	.long 6, 4, 0x101
	.asciz "Linux"
	.balign 4
#ifdef LTO
	.long 1
#else
	.long 0
#endif

	.section .note.GNU-stack, "", %progbits
