package encoder

// The images of tests are small.
func init() { fewBytes = 0 }
