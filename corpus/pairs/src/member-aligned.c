/* A member is aligned to a cache line. */
#include "pair.h"

#ifdef NEW
#define ALIGNED __attribute__((aligned(64)))
#else
#define ALIGNED
#endif

struct rx_queue {
	u64 head;
	u64 tail ALIGNED;
	u64 drops;
};

NOINLINE u64 rx_used(struct rx_queue *q)
{
	return q->head - q->tail;
}
