package s3

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A signer signs requests by Amazon's Signature Version 4: a hash of the request, signed with a key that is derived from the secret, the day,
// the region and the service.
type signer struct {
	*settings
	now func() time.Time
}

// emptySum is the SHA-256 of nothing.
const emptySum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

const (
	headerSum  = "X-Amz-Content-Sha256"
	headerDate = "X-Amz-Date"
	isoTime    = "20060102T150405Z"
)

// sign adds the headers of a signature. Without credentials, a request is not signed.
func (s *signer) sign(r *http.Request) error {
	if r.Header.Get(headerSum) == "" {
		r.Header.Set(headerSum, emptySum)
	}
	if s.key == "" {
		return nil
	}
	now := s.now().UTC()
	r.Header.Set(headerDate, now.Format(isoTime))
	if s.token != "" {
		r.Header.Set("X-Amz-Security-Token", s.token)
	}
	names, headers := canonicalHeaders(r)
	request := strings.Join([]string{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, headers, names, r.Header.Get(headerSum)}, "\n")
	scope := now.Format("20060102") + "/" + s.region + "/s3/aws4_request"
	toSign := "AWS4-HMAC-SHA256\n" + now.Format(isoTime) + "\n" + scope + "\n" + sum(request)
	key := []byte("AWS4" + s.secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		s.key, scope, names, hex.EncodeToString(mac(key, toSign))))
	return nil
}

// canonicalHeaders returns the names of the headers that are signed, and the headers, in lower case and sorted.
func canonicalHeaders(r *http.Request) (names, headers string) {
	values := map[string]string{"host": r.URL.Host}
	for key, list := range r.Header {
		key = strings.ToLower(key)
		if strings.HasPrefix(key, "x-amz-") || key == "content-type" || key == "if-none-match" {
			values[key] = strings.Join(strings.Fields(strings.Join(list, ",")), " ")
		}
	}
	list := make([]string, 0, len(values))
	for key := range values {
		list = append(list, key)
	}
	slices.Sort(list)
	for _, key := range list {
		headers += key + ":" + values[key] + "\n"
	}
	return strings.Join(list, ";"), headers
}

func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
