/* A type that is in a type unit, and only behind a pointer: of all images with type units pahole takes these alone. */
struct s {
	int a;
	struct s *next;
};

int __attribute__((used)) start(struct s *p)
{
	return p->a;
}
