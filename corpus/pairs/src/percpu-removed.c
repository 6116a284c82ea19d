/* A per-CPU variable goes from the middle. */
#include "pair.h"

PERCPU u64 current_task = 2;
#ifndef NEW
PERCPU u64 bpf_busy = 1;
#endif
PERCPU u32 cpu_number = 3;
PERCPU u64 irq_stack = 4;

NOINLINE u64 cpu_sum(void)
{
	return current_task + cpu_number + irq_stack;
}
