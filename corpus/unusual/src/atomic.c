/* Atomic types, which end pahole's run; with -DPLAIN the same without them. */
#ifdef PLAIN
#define ATOMIC(t) t
#else
#define ATOMIC(t) _Atomic(t)
#endif

struct counter {
	ATOMIC(int) value;
	ATOMIC(long) *where;
	ATOMIC(unsigned char) small[4];
};
typedef ATOMIC(long) total_t;

struct counter hits __attribute__((section(".data..percpu"), used)) = { 1 };
total_t total __attribute__((section(".data..percpu"), used)) = 2;

int __attribute__((used)) start(struct counter *c, total_t *t)
{
	return c->value + *t;
}
