/* Functions of which differ_b.c has others by the same names, and bit fields that need not be any. */
#define separate __attribute__((noinline, noclone, used))

struct point { int x; };

struct __attribute__((packed)) fields {
	char start;
	int after_char : 32;	/* no plain int could be here */
	char byte : 8;
	char nibble : 4;
	char across : 8;
	short tail : 16;
};

struct whole {
	long all : 64;
	unsigned half : 32;
	const short quarter : 16;
};

union either {
	int bits : 32;
	unsigned char few : 3;
};

struct fields fields;
struct whole whole;
union either either;
__attribute__((section(".data..percpu"))) int level;

static separate int by_return(int a) { return a; }
static separate int by_count(int a) { return a; }
static separate int by_type(int a, long b) { return a + b; }
static separate int by_name(struct point *p, int q) { return q; }
static separate int by_ellipsis(int a, ...) { return a; }
static separate int by_void(void) { return 1; }
static separate int by_all(int a, char b, int c) { return a + b + c; }
static separate int by_callback(int (*cb)(int)) { return cb ? 1 : 0; }
static separate void *by_const(void *q) { return q; }
static separate int by_nothing(int a) { return a; }
__attribute__((weak)) int by_strength(int a) { return a; }

int start_kernel(void)
{
	return by_return(1) + by_count(1) + by_type(1, 2) + by_name(0, 1) + by_ellipsis(1) + by_void() + by_all(1, 2, 3) +
	       by_callback(0) + (by_const(0) != 0) + by_nothing(1) + by_strength(1) + level;
}
