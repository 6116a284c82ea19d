/* A member gets another name, at the same place. */
#include "pair.h"

struct page {
	u64 flags;
#ifdef NEW
	u32 mapcount;
#else
	u32 _mapcount;
#endif
	u32 refcount;
};

NOINLINE u32 page_refs(struct page *page)
{
	return page->refcount;
}
