/* The note by which kernels say whether link-time optimisation made them. */
	.section .note.Linux, "a", %note
	.balign 4
	.long 6, 4, 0x101
	.asciz "Linux"
	.balign 4
	.long LTO
	.section .note.GNU-stack, "", %progbits
