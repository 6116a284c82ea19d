/* The strong half, of another type and size. */
struct level {
	long value;
	int unit;
};
__attribute__((section(".data..percpu"))) struct level shared_level;

int read_level(void)
{
	return shared_level.unit;
}
