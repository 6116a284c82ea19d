/* The other functions of the names in differ_a.c. */
#define separate __attribute__((noinline, noclone, used))

struct point { int x; int y; };
struct place { int z; };

static separate long by_return(int a) { return a; }
static separate int by_count(int a, int b, int c) { return a; }
static separate int by_type(int a, int b) { return a + b; }
static separate int by_name(struct place *pp, int q) { return q; }
static separate int by_ellipsis(int a, int b) { return a; }
static separate int by_void(struct point *p) { return p ? 1 : 2; }
static separate long by_all(long a, long b) { return a + b; }
static separate int by_callback(int (*call)(long)) { return call ? 1 : 0; }
static separate void *by_const(const void *q) { return (void *)q; }
static separate int by_nothing(int b) { return b; }
int by_strength(long a) { return a; }

int second(void)
{
	return by_return(1) + by_count(1, 2, 3) + by_type(1, 2) + by_name(0, 1) + by_ellipsis(1, 2) + by_void(0) + by_all(1, 2) +
	       by_callback(0) + (by_const(0) != 0) + by_nothing(1);
}
