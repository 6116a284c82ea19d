/* A small unit without per-CPU variables. Compilers may call memcpy and memset by themselves. */
#include "kernel.h"

noinline u32 hash_bytes(const void *p, size_t n)
{
	const u8 *b = p;
	u32 h = 2166136261u;

	while (n--)
		h = rotate(h ^ *b++, 5);
	return h;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	volatile u8 *t = to;
	const u8 *f = from;

	while (n--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int c, size_t n)
{
	volatile u8 *t = to;

	while (n--)
		*t++ = c;
	return to;
}
