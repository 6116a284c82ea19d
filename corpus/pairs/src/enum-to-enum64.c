/* An enumerator beyond 32 bits makes the enum one of 64 bits; what holds it grows. */
#include "pair.h"

enum scx_flags {
	SCX_OPS_KEEP = 1,
	SCX_OPS_ENQ = 2,
#ifdef NEW
	SCX_OPS_INTERNAL = 1UL << 56,
#endif
};

struct sched_ext_ops {
	u32 dispatch_max;
	enum scx_flags flags;
	u32 timeout_ms;
};

NOINLINE u32 scx_timeout(struct sched_ext_ops *ops)
{
	return ops->timeout_ms + (ops->flags != SCX_OPS_KEEP);
}
