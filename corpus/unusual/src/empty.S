/* Units in which there is nothing, and zeros between units. */
	.section .debug_info,"",@progbits
	.zero 5
	.long 2f - 1f /* a null entry in place of the root */
1:	.value 5
	.byte 1, 8
	.long .Ltable
	.byte 0
2:
	.long 4f - 3f /* nothing but a header */
3:	.value 4
	.long .Ltable
	.byte 8
4:
	.zero 12
	.section .debug_abbrev,"",@progbits
.Ltable:
	.byte 0
	.section .note.GNU-stack,"",@progbits
