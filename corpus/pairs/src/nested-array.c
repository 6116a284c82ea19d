/* A struct grows that others hold as an array. */
#include "pair.h"

struct bio_vec {
	void *page;
	u32 len;
	u32 offset;
#ifdef NEW
	u64 dma;
#endif
};

struct bio {
	u32 count;
	struct bio_vec inline_vecs[4];
	u64 sector;
};

NOINLINE u64 bio_sector(struct bio *bio)
{
	return bio->sector + bio->inline_vecs[0].len;
}
