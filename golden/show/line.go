package show

import "github.com/btfbatch/btfbatch/golden/cause"

// Line returns a cause on one line, as Brief writes it but without its impact, which differs from image to image.
func Line(x *cause.Cause) string {
	y := *x
	y.Impact = cause.Impact{}
	return briefLine(&y)
}
