/* A member becomes unsigned: the same size, at the same place. */
#include "pair.h"

struct timer {
	u64 expires;
#ifdef NEW
	unsigned int flags;
#else
	int flags;
#endif
	void (*function)(struct timer *timer);
};

NOINLINE void timer_run(struct timer *timer)
{
	timer->function(timer);
}
