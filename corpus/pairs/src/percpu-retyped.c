/* A per-CPU variable becomes a narrower number, another one an array of two. */
#include "pair.h"

#ifdef NEW
PERCPU u32 softirq_pending = 1;
PERCPU u64 ipi_count[2] = { 1 };
#else
PERCPU u64 softirq_pending = 1;
PERCPU u64 ipi_count = 1;
#endif
PERCPU u64 irq_stack[2] = { 4 };

NOINLINE u64 stack_top(void)
{
	return irq_stack[0];
}
