/* Kernel functions that BPF programs may call; kfuncs_ids.S has their set. */
int __attribute__((used)) alpha(int a)
{
	return a;
}

int __attribute__((used)) beta(int *a)
{
	return *a;
}

int __attribute__((used)) gamma_ray(int a, int b)
{
	return a + b;
}

int __attribute__((used)) start(void)
{
	return 0;
}
