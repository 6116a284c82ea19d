/* Types of every kind, a weak half of two pairs, functions that compilers take apart. */
#include "kernel.h"

enum system_states { BOOTING, RUNNING = 5, HALTED };
enum error { ENONE, EBAD = -22, EAGAIN = -11 };
enum wide { WIDE_LOW = 1, WIDE_HIGH = 1ULL << 40 };
enum wide_signed { WIDE_NEG = -5, WIDE_TOP = 1LL << 41 };
enum __packed tiny { TINY_A, TINY_B = 200 };

union value {
	u32 word;
	u8 bytes[4];
	struct {
		u16 low, high;
	};
};

struct bits {
	u32 a : 1;
	u32 b : 7;
	enum system_states state : 5;
	s32 c : 19;
	u64 d : 40;
	s32 whole : 32;
	bool e : 1;
	u8 : 0;
	u8 tail;
};

struct __packed wire {
	u8 kind;
	u32 len : 24;
	u16 port;
	u64 cookie;
	u32 x : 3;
	u32 y : 30;
};

struct numbers {
	float f;
	double d;
	long double ld;
	bool yes;
	char c;
	signed char sc;
#ifdef __SIZEOF_INT128__
	__int128 s128;
	unsigned __int128 u128;
#endif
};

struct grid {
	s32 cell[2][3][4];
	u8 none[0];
	struct grid *around[2];
	const char *const *names;
	u8 data[];
};

struct conflict { /* another struct of this name is in sched.c */
	int a;
};

struct task {
	int pid;
	volatile long state;
	enum error error;
	struct list_head tasks;
	union value value;
	union {
		void *ptr;
		unsigned long bits;
	} arg;
	char comm[16] DECL_TAG("name");
	struct task TYPE_TAG("rcu") *parent;
	void TYPE_TAG("outer") TYPE_TAG("inner") *mem;
	struct conflict conflict;
	phys_t phys;
	int (*old_style)();
	int vector __attribute__((vector_size(16)));
} DECL_TAG("task tag");

typedef struct task *const volatile odd_t;
typedef int (*cmp_t)(const void *restrict, const void *restrict);

struct task init_task = { .pid = 1 };
int system_state = RUNNING;
const char banner[] = "btfbatch test image";
static odd_t odd = &init_task;
struct bits bits;
struct wire wire;
struct numbers numbers;
enum wide wide;
enum wide_signed wide_signed;
enum tiny tiny;
struct grid *grid;

/* weak here, strong in sched.c */
int __weak weak_level = 1;
int __weak arch_setup(int flags)
{
	return flags;
}

/* weak here with another prototype than in sched.c */
int __weak arch_probe_id(int id)
{
	return id;
}

/* static in two units */
static noinline int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* static in two units, with different prototypes */
static noinline int probe(int id)
{
	return id * system_state;
}

/* gcc drops the parameter that nobody reads and gives the symbol a suffix */
static noinline int scaled(struct task *t, int unused, int by)
{
	return t->pid * by + system_state;
}

/* more parameters than registers, the last one packed */
noinline int send(int a, int b, int c, int d, int e, int f, int g, int h, struct wire w)
{
	return a + b + c + d + e + f + g + h + w.kind;
}

struct pair {
	long a, b;
};

noinline struct pair swap_pair(struct pair p)
{
	struct local {
		long keep;
	} l = { p.a };
	enum { HERE = 3 } x = HERE;

	p.a = p.b;
	p.b = l.keep + x;
	return p;
}

cmp_t comparer = compare;
u32 (*rotator)(u32, u32) = rotate;

__attribute__((cold)) noinline void panic(const char *fmt, ...)
{
	system_state = HALTED;
	for (;;)
		asm volatile("" : : "r"(fmt));
}

int start_kernel(void)
{
	static int calls;
	extern int late_init(void);
	struct pair p = { system_state, 2 };
	struct wire w = { .kind = 3 };

	if (__builtin_expect(!odd, 0))
		panic("%s", banner);
	calls++;
	p = swap_pair(p);
	return compare(&calls, &system_state) + probe(calls) + scaled(&init_task, 3, calls) + scaled(odd, 4, 7) +
	       send(1, 2, 3, 4, 5, 6, 7, 8, w) + (int)p.a + late_init() + arch_setup(0) + sched_pick(0) + weak_level;
}

__ADDRESSABLE(init_task, 42);
