/* The type of nullptr. */
typedef __typeof__(nullptr) nullptr_t;
struct holder {
	int before;
	nullptr_t nothing;
	nullptr_t several[2];
	int after;
};
struct holder holder;

int start(nullptr_t n)
{
	return holder.before + holder.after + (n == 0);
}
