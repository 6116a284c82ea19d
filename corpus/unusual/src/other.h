/* What reduced debug information leaves out: the compiler defines only the structs of headers that have the name of the source. */
struct header {
	int a;
	struct { int x, y; } inner;
	union { int i; char c[4]; } u;
};
typedef struct { unsigned long bits[2]; } mask_t;
typedef union { int i; void *p; } value_t;
