/* What the sources of all pairs share. */
typedef signed char s8;
typedef unsigned char u8;
typedef unsigned short u16;
typedef int s32;
typedef unsigned int u32;
typedef long s64;
typedef unsigned long u64;

#define PERCPU __attribute__((section(".data..percpu"), used))
#define NOINLINE __attribute__((noinline, used))

/* Every image has all numbers, as every kernel has: clang leaves out those that no code uses. */
#ifndef SECOND
NOINLINE void start(s8 a, u8 b, u16 c, s32 d, u32 e, s64 f, u64 g, const char *h)
{
}
#endif
