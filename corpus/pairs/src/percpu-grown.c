/* The struct of a per-CPU variable grows; those after it move. */
#include "pair.h"

struct rq {
	u32 nr_running;
	u32 cpu;
	u64 clock;
#ifdef NEW
	u64 clock_task;
	u64 clock_pelt;
#endif
};

PERCPU u64 current_task = 2;
PERCPU struct rq runqueues = { 1 };
PERCPU u32 cpu_number = 3;
PERCPU u64 irq_stack = 4;

NOINLINE u64 rq_clock(struct rq *rq)
{
	return rq->clock;
}
