/* A member becomes volatile, another one loses its const. */
#include "pair.h"

struct ring {
#ifdef NEW
	volatile u32 head;
	u32 size;
#else
	u32 head;
	const u32 size;
#endif
	u32 tail;
};

NOINLINE u32 ring_used(struct ring *ring)
{
	return ring->head - ring->tail + ring->size;
}
