/* The weak half of a per-CPU variable: two VARs of one name at one offset. */
__attribute__((weak, section(".data..percpu"))) int shared_level;
__attribute__((section(".data..percpu"))) long only_here;

int read_level(void);

int start_kernel(void)
{
	return shared_level + read_level() + (int)only_here;
}
