package serve

import (
	"strconv"
	"strings"
)

const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
	mediaEvents  = "text/event-stream"
)

// negotiate picks the answer's media type by the Accept headers: the one with the highest quality, the more modern of equals when it is
// named. Without a header, and for wildcards, it is application/json, which every client reads. Empty: nothing acceptable.
func negotiate(accept []string) string {
	if len(accept) == 0 {
		return mediaJSON
	}
	best, bestQuality, bestRank := "", 0, 0
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		media, params, _ := strings.Cut(part, ";")
		pick, rank := "", 0
		switch strings.ToLower(strings.TrimSpace(media)) {
		case mediaGraphQL:
			pick, rank = mediaGraphQL, 4
		case mediaJSON:
			pick, rank = mediaJSON, 3
		case mediaEvents:
			pick, rank = mediaEvents, 2
		case "*/*", "application/*":
			pick, rank = mediaJSON, 1
		default:
			continue
		}
		q := quality(params)
		if q > bestQuality || q == bestQuality && q > 0 && rank > bestRank {
			best, bestQuality, bestRank = pick, q, rank
		}
	}
	return best
}

// quality reads q out of a header's parameters, in thousandths; 1000 when it is not given or not a number.
func quality(params string) int {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		whole, fraction, _ := strings.Cut(value, ".")
		n, err := strconv.Atoi(whole + (fraction + "000")[:3])
		if err != nil || len(fraction) > 3 || n < 0 || n > 1000 {
			return 1000
		}
		return n
	}
	return 1000
}

// mediaType is the type of a Content-Type header without its parameters.
func mediaType(header string) string {
	media, _, _ := strings.Cut(header, ";")
	return strings.ToLower(strings.TrimSpace(media))
}
