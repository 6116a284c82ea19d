/* A real per-CPU variable opens a section that does not start at address 0, in a unit that has no int. */
#define DEFINE_PER_CPU(type, name) __attribute__((section(".data..percpu"))) type name

DEFINE_PER_CPU(const char *, this_cpu_vector);
DEFINE_PER_CPU(char, cpu_name[16]);
static DEFINE_PER_CPU(unsigned long, vector_count);
char __attribute__((section(".discard"))) __pcpu_unique_this_cpu_vector;

const char *start_kernel(const char *vector)
{
	this_cpu_vector = vector;
	vector_count++;
	return cpu_name;
}
