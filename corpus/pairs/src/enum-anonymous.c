/* A member is of an enum without a name, which gets an enumerator in the middle. */
#include "pair.h"

struct worker {
	enum {
		WORKER_IDLE,
#ifdef NEW
		WORKER_PREP,
#endif
		WORKER_BUSY
	} state;
	u32 id;
};

NOINLINE u32 worker_id(struct worker *w)
{
	return w->id + w->state;
}
