/* Complex floats, which end pahole's run when it writes floats. */
struct wave {
	float _Complex narrow;
	double _Complex usual;
	double real;
};

struct wave wave __attribute__((section(".data..percpu"), used)) = { .real = 1 };

int __attribute__((used)) start(struct wave *w)
{
	return w->real != 0;
}
