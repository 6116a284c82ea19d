/* The compiler inlines a function: nothing else about the source changes. */
#include "pair.h"

struct rcu_node {
	u64 qsmask;
	u32 level;
};

#ifdef NEW
#define HELPER static inline __attribute__((always_inline))
#else
#define HELPER static NOINLINE
#endif

HELPER u64 rcu_mask(struct rcu_node *rnp, u32 cpu)
{
	return rnp->qsmask >> cpu;
}

NOINLINE u64 rcu_report(struct rcu_node *rnp, u32 cpu)
{
	return rcu_mask(rnp, cpu) + rcu_mask(rnp, cpu + rnp->level);
}
