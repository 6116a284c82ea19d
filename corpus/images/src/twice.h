/* A function of which the linker keeps one and drops the others. C has no word for the group of a section, so it is part of the name. */
#define ONCE __attribute__((section(".text.twice,\"axG\",@progbits,twice,comdat#"), noinline, weak))
