/* A second source file defines a struct of the same name with other members. */
#include "pair.h"

struct hash_table {
	u64 buckets;
	u32 bits;
};

struct inode_cache {
	struct hash_table table;
	u32 count;
};

NOINLINE u32 inode_cache_count(struct inode_cache *cache)
{
	return cache->count + cache->table.bits;
}
