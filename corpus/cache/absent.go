package cache

import "time"

// AbsentFor is how long it is remembered that something is absent: a file that a server did not have, or what bytes lacked.
const AbsentFor = 7 * 24 * time.Hour

// StillAbsent reports whether what was last found absent at a time need not be looked for again. A time in the future is not believed.
func StillAbsent(last time.Time) bool {
	age := time.Since(last)
	return age >= 0 && age < AbsentFor
}
