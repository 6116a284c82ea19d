/* A per-CPU variable moves behind the others, because the linker puts it with those that are written often. */
#include "pair.h"

#ifdef NEW
#define HOT __attribute__((section(".data..percpu..shared_aligned"), used))
#else
#define HOT __attribute__((section(".data..percpu..first"), used))
#endif

HOT u64 vmstat = 1;
PERCPU u64 current_task = 2;
PERCPU u64 cpu_number = 3;
PERCPU u64 irq_stack = 4;

NOINLINE u64 cpu_sum(void)
{
	return current_task + cpu_number + irq_stack + vmstat;
}
