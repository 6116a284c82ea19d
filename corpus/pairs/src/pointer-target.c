/* A pointer leads to another struct: its size stays. */
#include "pair.h"

struct page {
	u64 flags;
	u64 mapping;
};

struct folio {
	u64 flags;
	u64 large;
};

struct pipe_buffer {
#ifdef NEW
	struct folio *page;
#else
	struct page *page;
#endif
	u32 offset;
};

NOINLINE u64 pipe_flags(struct pipe_buffer *buf, struct page *page, struct folio *folio)
{
	return buf->page->flags + page->mapping + folio->large;
}
