/* A struct goes with the function that took it; another one comes. */
#include "pair.h"

#ifdef NEW
struct folio_batch {
	u8 nr;
	void *folios[15];
};

NOINLINE int folio_batch_count(struct folio_batch *batch)
{
	return batch->nr;
}
#else
struct pagevec {
	u8 nr;
	void *pages[14];
};

NOINLINE int pagevec_count(struct pagevec *vec)
{
	return vec->nr;
}
#endif

NOINLINE int folio_order(int order)
{
	return order * 2;
}
