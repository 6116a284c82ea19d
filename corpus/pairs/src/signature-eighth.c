/* The eighth parameter of a function, which is on the stack, becomes a wider number. */
#include "pair.h"

#ifdef NEW
#define LAST u64
#else
#define LAST u32
#endif

NOINLINE u64 do_copy(u64 dst, u64 dst_size, u64 src, u64 src_size, u32 table, u32 log, u32 flags, LAST limit)
{
	return dst + dst_size + src + src_size + table + log + flags + limit;
}
