/* A static function and a static variable become global. */
#include "pair.h"

#ifdef NEW
#define STATIC
#else
#define STATIC static
#endif

STATIC PERCPU u64 irq_count = 1;

STATIC NOINLINE u64 irq_enter(u64 n)
{
	return n + irq_count;
}

NOINLINE u64 irq_total(u64 n)
{
	return irq_enter(n) * 2;
}
