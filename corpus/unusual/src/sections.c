/* The unit of a.c in a file of many sections, which sections.inc declares. */
asm(".include \"sections.inc\"\n.text");
#include "a.c"
