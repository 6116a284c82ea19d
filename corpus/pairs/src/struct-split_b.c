/* The second source file of struct-split. */
#define SECOND
#include "pair.h"

struct hash_table {
#ifdef NEW
	void *slots;
	u32 seed;
	u32 shift;
#else
	u64 buckets;
	u32 bits;
#endif
};

struct dentry_cache {
	struct hash_table table;
	u32 count;
};

NOINLINE u32 dentry_cache_count(struct dentry_cache *cache)
{
	return cache->count;
}
