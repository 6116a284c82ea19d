/* A per-CPU variable is added in front of the others. */
#include "pair.h"

#ifdef NEW
PERCPU u64 preempt_count = 1;
#endif
PERCPU u64 current_task = 2;
PERCPU u32 cpu_number = 3;
PERCPU u64 irq_stack = 4;

NOINLINE u64 cpu_sum(void)
{
	return current_task + cpu_number + irq_stack;
}
