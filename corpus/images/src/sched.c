/* Per-CPU variables of every sort, the strong halves of pairs, statics that main.c has too. */
#include "kernel.h"

struct task; /* defined in main.c */

struct conflict {
	long a, b;
	struct task *who;
};

struct rq {
	u32 nr_running;
	struct task *curr;
	struct conflict conflict;
	u64 clock;
};

#ifdef FIXED_FIRST
struct fixed_percpu_data {
	char gs_base[40];
	unsigned long stack_canary;
};
DEFINE_PER_CPU_FIRST(struct fixed_percpu_data, fixed_percpu_data); /* at section offset 0 */
#endif

DEFINE_PER_CPU_ALIGNED(struct rq, runqueues);
DEFINE_PER_CPU(int, cpu_number) DECL_TAG("percpu int");
DEFINE_PER_CPU(unsigned long, this_cpu_off);
DEFINE_PER_CPU(struct task *, current_task);
static DEFINE_PER_CPU(u32, counter);		 /* static in two units */
static DEFINE_PER_CPU(u8[3][5], table);
DEFINE_PER_CPU(int, init_state) = 7;
DEFINE_PER_CPU(struct {}, empty);		 /* size 0 */
extern int percpu_tail[];			 /* the declaration has no bound */
DEFINE_PER_CPU(int[4], percpu_tail);
PCPU_UNIQUE(runqueues);
PCPU_UNIQUE(cpu_number);

int weak_level = 2;
noinline int arch_setup(int flags)
{
	return flags | cpu_number;
}

noinline long arch_probe_id(long id)
{
	return id + this_cpu_off;
}

static noinline int compare(const void *a, const void *b)
{
	return *(const u8 *)b - *(const u8 *)a;
}

static noinline long probe(struct rq *rq)
{
	return rq->nr_running;
}

noinline int sched_pick(int cpu)
{
	static __section(".data..percpu") int inside; /* not at the top level of the unit */

	counter++;
	inside += init_state + percpu_tail[cpu & 3];
	for (int i = 0; i < 3; i++) {
		struct block {
			int i;
		} b = { i };
		table[(cpu + i) & 1][0] += b.i + inside; /* not by constants: clang would split the array */
	}
	return compare(&counter, table) + (int)probe(&runqueues) + (int)arch_probe_id(cpu) + (current_task != NULL);
}

u32 (*sched_rotator)(u32, u32) = rotate; /* a second out-of-line copy */
DEFINE_PER_CPU(int, last_variable);
