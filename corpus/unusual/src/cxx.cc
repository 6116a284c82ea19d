// A unit of C++: references, pointers to members, a class with bases and virtual functions, templates.
namespace inner {
struct leaf {
	int value;
};
inline int sum(const leaf &l, int &&by)
{
	return l.value + by;
}
}

class base {
public:
	int held;
	virtual int get();
};

struct derived : base {
	long own;
	enum class color : unsigned char { red, green } color;
};

template <typename T> struct box {
	T thing;
	box<T> *next;
};

int base::get()
{
	return held;
}

typedef int derived::*member_t;
typedef int (base::*method_t)();

box<inner::leaf> boxed;
derived made;
member_t member;
method_t method = &base::get;

extern "C" int cxx_sum(inner::leaf &leaf, const derived &by)
{
	return inner::sum(leaf, by.own);
}
