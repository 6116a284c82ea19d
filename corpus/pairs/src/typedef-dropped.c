/* A member is declared with the struct in place of the typedef of it. */
#include "pair.h"

typedef struct raw_spinlock {
	u32 val;
} raw_spinlock_t;

struct futex_bucket {
#ifdef NEW
	struct raw_spinlock lock;
#else
	raw_spinlock_t lock;
#endif
	u32 waiters;
};

NOINLINE u32 futex_waiters(struct futex_bucket *b, raw_spinlock_t *lock)
{
	return b->waiters + lock->val;
}
