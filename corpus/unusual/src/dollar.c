/* Names that compilers of C take and kernels refuse. */
struct with$dollar {
	int a$b;
	int caf\u00e9;
};
enum e$num { ONE$ = 1 };
typedef struct with$dollar t$def;
struct aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa {
	int q;
} long_name;
union u$nion *pointer;
t$def value;
enum e$num one;

int fn$x(t$def *p$, int (*call)(int arg$))
{
	return p$->a$b + call(1);
}

int start(int (*call)(int))
{
	return fn$x(&value, call) + long_name.q + one + (pointer != 0);
}
