/* A negative enumerator makes the enum signed. */
#include "pair.h"

enum zone_type {
#ifdef NEW
	ZONE_INVALID = -1,
#endif
	ZONE_DMA = 0,
	ZONE_NORMAL = 1
};

struct zone {
	enum zone_type type;
	u32 pages;
};

NOINLINE u32 zone_pages(struct zone *zone)
{
	return zone->pages + zone->type;
}
