/* A per-CPU variable is aligned to a cache line. */
#include "pair.h"

#ifdef NEW
#define ALIGNED __attribute__((aligned(64)))
#else
#define ALIGNED
#endif

PERCPU u64 current_task = 2;
PERCPU ALIGNED u64 tlb_state = 1;
PERCPU u32 cpu_number = 3;
PERCPU u64 irq_stack = 4;

NOINLINE u64 cpu_sum(void)
{
	return current_task + cpu_number + irq_stack + tlb_state;
}
