/* Declarations and functions stand in another order, and comments changed: both mean the same. */
#include "pair.h"

#ifdef NEW
struct second {
	u64 b;
};
#endif

struct first {
	u32 a;
	void *next;
};

#ifndef NEW
struct second {
	u64 b;
};
#else
NOINLINE u64 second_b(struct second *s)
{
	return s->b;
}
#endif

NOINLINE u32 first_a(struct first *f)
{
	return f->a;
}

#ifndef NEW
NOINLINE u64 second_b(struct second *s)
{
	return s->b;
}
#endif
