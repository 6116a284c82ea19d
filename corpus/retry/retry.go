// Package retry says when a request to a server is sent again, and how long to wait before. Files that are fetched (corpus/source/http) and
// stores (corpus/store) follow the same rules, which docs/sources.md and docs/publish.md describe.
//
// Input: the status and the headers of an answer, and how many attempts have failed. Output: whether another attempt can succeed, and the pause
// before it. Never: the package sends no request, and does not wait.
package retry

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// Passes reports whether an answer with this status is about a moment: the server is overloaded, broken, or was too slow. Another
// attempt, or another run, can succeed then.
func Passes(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// longest is the longest wait that Asked returns. No run lasts so long.
const longest = 365 * 24 * time.Hour

// Asked returns how long an answer asks to wait (Retry-After, RFC 9110, section 10.2.3): a number of seconds, or a date. A date is compared with
// that of the answer, because the clocks of two machines differ, or else with now. It returns 0 if the answer asks for nothing.
func Asked(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(text, 64); err == nil && isNumber(text) {
		return time.Duration(min(s, longest.Seconds())) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), longest)
}

// isNumber reports whether a text has only digits.
func isNumber(text string) bool {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return text != ""
}

// A Policy says how often and how long to wait.
type Policy struct {
	Attempts int           // at most so many, with the first one
	Backoff  time.Duration // the pause before the second attempt, which doubles with each further one
	MaxWait  time.Duration // the longest pause
}

// Default is the policy for servers that a batch cannot do without.
var Default = Policy{Attempts: 5, Backoff: 500 * time.Millisecond, MaxWait: 2 * time.Minute}

// Or returns the policy with the values of another one in place of those that are zero.
func (p Policy) Or(other Policy) Policy {
	return Policy{cmp.Or(p.Attempts, other.Attempts), cmp.Or(p.Backoff, other.Backoff), cmp.Or(p.MaxWait, other.MaxWait)}
}

// A LongError says that a server asks for a pause that is too long. A run that ends leaves the server alone for longer than one that waits
// for a part of the time and asks again.
type LongError struct{ Asked, Most time.Duration }

func (e *LongError) Error() string {
	return fmt.Sprintf("the server asks to wait for %v, which is more than %v: run again later", e.Asked, e.Most)
}

// Pause returns the pause after a number of attempts that failed, at least 1, if the server asked for one of the given length. A part of it is
// random, up to half of the back-off, because many clients that failed together must not come back together. The error is a *LongError.
func (p Policy) Pause(failures int, asked time.Duration) (time.Duration, error) {
	if asked > p.MaxWait {
		return 0, &LongError{asked, p.MaxWait}
	}
	pause := p.MaxWait
	if n := failures - 1; n < 32 && p.Backoff <= p.MaxWait>>n {
		pause = p.Backoff << n
	}
	return max(pause, asked) + rand.N(pause/2+1), nil
}
