/* Two structs change, and one holds the other: each is a cause of its own, and the outer one has both reasons to grow. */
#include "pair.h"

struct seqcount {
	u32 sequence;
#ifdef NEW
	u64 lockdep;
#endif
};

struct timekeeper {
	u64 base;
	struct seqcount seq;
	u64 raw;
#ifdef NEW
	u64 offset_aux;
#endif
};

struct clock {
	struct timekeeper tk;
	u32 id;
};

NOINLINE u32 clock_id(struct clock *clock)
{
	return clock->id;
}
