/*
 * Functions whose signature clang changes: it leaves out parameters that nobody reads, and passes the one member of a small
 * struct that is read. Such functions have DW_AT_calling_convention DW_CC_nocall.
 *
 *	clang-19 --target=x86_64-linux-gnu -O2 -g -ffreestanding -ffile-prefix-map=$PWD=. -c signature.c
 *	ld.lld-19 -e entry signature.o -o signature-clang19-x86_64.elf
 */
struct pair { long a, b; };
struct packet { short kind; char flag; int len; long body; };

volatile int sink;

#define noinline static __attribute__((noinline))

noinline int middle(int used, int unused, long last) { sink = used; return sink + last; }
noinline int first_member(int unused, int used, struct pair p) { sink = used; return sink + p.a; }
noinline int last_member(int unused, int used, struct pair p) { sink = used; return sink + p.b; }
noinline int both_members(int unused, struct pair p, int used) { sink = used; return sink + p.a + p.b; }
noinline int inside_register(int unused, struct packet p, int used) { sink = used; return sink + p.len; }
noinline int second_register(int unused, struct packet p, int used) { sink = used; return sink + p.body; }
noinline int two_structs(struct packet p, struct packet q, int used) { sink = used; return sink + p.kind + q.body; }
noinline int constant(int known, int used) { sink = used + known; return sink; }
noinline int on_stack(int a, int b, int c, int d, int e, int f, int g, int unused, int h) { sink = a + b + c + d + e + f + g + h; return sink; }
noinline int nothing_left(int a, long b) { return sink++; }

int entry(int a, struct pair *p, struct packet *q)
{
	return middle(a, 2, a + 1) + first_member(3, 4, *p) + last_member(a, a, *p) + both_members(a, *p, 3) +
	       inside_register(a, *q, a) + second_register(a, *q, a) + two_structs(*q, *q, a) + constant(5, a) +
	       on_stack(a, 1, a, 3, a, 5, a, a, a) + nothing_left(a, a);
}
