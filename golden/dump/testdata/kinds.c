/* One object with every kind that a C compiler and pahole make between them. */
typedef unsigned long size_t;
typedef __builtin_va_list va;

enum color { RED, GREEN = 7, BLUE = -1 };
enum mask { LOW = 1, HIGH = 0xffffffff };
enum wide { SMALL = 1, LARGE = 0x123456789abcdefULL };
enum minus { BELOW = -0x123456789abLL };
enum opaque;

struct later;
union earlier;

struct bits {
	int plain;
	unsigned a : 3, b : 5;
	long long c : 40;
	enum color tint : 4;
};

struct list {
	struct list *next, **prev;
	const char *name;
	struct { int x, y; } at;
	union { long l; double d; } u;
	struct later *forward;
	union earlier *union_forward;
	int (*compare)(const struct list *, const struct list *, ...);
	int table[4][3];
	char tail[];
};

typedef struct { _Bool yes; float f; } flags_t;

int counter __attribute__((section(".data..percpu"), used)) = 1;
struct bits shape __attribute__((section(".data..percpu"), used)) = { 1 };

volatile const int vc = 3;

size_t walk(struct list *restrict head, enum color c, enum mask m, enum wide w, enum minus n)
{
	return head->at.x + c + m + w + n;
}

static __attribute__((noinline)) void hidden(flags_t *f, struct bits *b, enum opaque *o)
{
	f->yes = b->a;
}

int printk(const char *fmt, ...)
{
	flags_t f;
	hidden(&f, &shape, 0);
	return f.yes + vc + counter;
}
