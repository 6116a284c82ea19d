/* A typedef gets another type, and all that use it follow. */
#include "pair.h"

#ifdef NEW
typedef u64 sector_t;
#else
typedef u32 sector_t;
#endif

struct disk {
	u32 id;
	sector_t start;
	sector_t size;
	u32 flags;
};

struct partition {
	u16 number;
	sector_t offset;
};

NOINLINE sector_t disk_size(struct disk *disk)
{
	return disk->size;
}

NOINLINE sector_t partition_offset(struct partition *p)
{
	return p->offset;
}
