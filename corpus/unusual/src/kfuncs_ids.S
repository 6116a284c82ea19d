/* A set of kfuncs, id and flags each. As linked the ids are 0, and each pair is at its function's symbol. The last step of a kernel's
 * build fills them in and sorts the pairs by id: then FINISHED is 1, and gamma_ray, which is fast and whose id is the highest, has
 * the last pair, where the symbol is that of beta. */
	.section .BTF_ids, "a"
	.balign 4
	.type __BTF_ID__set8__odd, %object
__BTF_ID__set8__odd:
	.long 3 * FINISHED, 1
	.type __BTF_ID__func__gamma_ray__1, %object
	.size __BTF_ID__func__gamma_ray__1, 4
__BTF_ID__func__gamma_ray__1:
#if FINISHED
	.long ALPHA, 0
#else
	.long 0, 0x1000
#endif
	.type __BTF_ID__func__alpha__2, %object
	.size __BTF_ID__func__alpha__2, 4
__BTF_ID__func__alpha__2:
	.long BETA, 0
	.type __BTF_ID__func__beta__3, %object
	.size __BTF_ID__func__beta__3, 4
__BTF_ID__func__beta__3:
#if FINISHED
	.long GAMMA, 0x1000
#else
	.long 0, 0
#endif
	.size __BTF_ID__set8__odd, . - __BTF_ID__set8__odd
	.section .note.GNU-stack, "", %progbits
