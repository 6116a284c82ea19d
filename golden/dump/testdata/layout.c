/* What makes C hard to print: padding, packing, forward declarations, inside-out declarators, names used twice. */
struct empty {};

struct __attribute__((packed)) packed {
	char c;
	int i;
	long l;
};

struct aligned {
	char c;
	int i __attribute__((aligned(32)));
	short s;
} __attribute__((aligned(64)));

struct gaps {
	int a : 3;
	int : 7;
	int b : 4;
	char c;
	long : 0;
	int d : 1;
	int : 0;
	int e : 2;
	long long f : 33;
	unsigned char g : 2;
	short h;
};

struct holder {
	struct packed packed;
	char c;
	struct { char inner; struct { long l; union { int i; char b[7]; }; } deep; };
	enum __attribute__((packed)) { SMALL_A, SMALL_B } small;
	enum { WIDE = 0x100000000ULL } wide;
};

typedef struct node node;
typedef int (*visit)(node *, void *, const char *const *);
struct node {
	node *next;
	visit visit;
	visit (*choose)(struct tree *, visit[3]);
	int (*(*table)[3])(struct use *);
	int *const *volatile pointer;
	const volatile struct node *restrict qualified;
	void (*variadic)(int, ...);
	struct tree { node *root; struct tree *up; } tree;
};

typedef struct tree tree;
enum tree_kind { OAK, ELM };
typedef enum tree_kind kind;

/* The same name for another thing, in another scope. */
static __attribute__((noinline)) long first(void *p)
{
	struct local { int a; } *l = p;
	enum { OAK = 7 } e = OAK;
	return l->a + e;
}

static __attribute__((noinline)) long second(void *p)
{
	struct local { long a, b; } *l = p;
	return l->b;
}

long all(struct empty *a, struct packed *b, struct aligned *c, struct gaps *d, struct holder *e, struct node *f, tree *g, kind h)
{
	return first(a) + second(b) + c->i + d->b + e->small + (f->next == g->root) + h;
}
