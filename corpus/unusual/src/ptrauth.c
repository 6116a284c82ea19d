/* Signed pointers: types of a tag of clang's own that qualify others. */
struct ops {
	int (*open)(int);
	int (*__ptrauth(1, 1, 42) close)(int);
	void *__ptrauth(2, 0, 7) data;
};
struct ops ops;

int start(struct ops *o)
{
	return o->close(o->open(1));
}
