/* A flag becomes a byte: a smaller type, and the hole behind it keeps all others in place. */
#include "pair.h"

struct rq_state {
	u64 clock;
#ifdef NEW
	u8 on_cpu;
#else
	int on_cpu;
#endif
	u64 idle_since;
};

NOINLINE u64 rq_clock(struct rq_state *rq)
{
	return rq->clock + rq->on_cpu;
}
