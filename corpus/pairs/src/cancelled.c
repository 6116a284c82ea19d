/* A member goes and the struct before it grows by as much: the outer struct keeps its size. */
#include "pair.h"

struct list_lru {
	void *node;
#ifdef NEW
	u64 nr_items;
#endif
};

struct super_block {
	struct list_lru dentries;
#ifndef NEW
	u64 s_count;
#endif
	u64 s_flags;
};

NOINLINE u64 super_flags(struct super_block *sb)
{
	return sb->s_flags;
}
