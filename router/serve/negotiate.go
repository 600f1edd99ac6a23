package serve

import (
	"strconv"
	"strings"
)

const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
	mediaEvents  = "text/event-stream"
	mediaParts   = "multipart/mixed"
)

func contentType(media string) string {
	if media == mediaParts {
		return mediaParts + `;boundary="-";deferSpec=` + deferSpec
	}
	return media + "; charset=utf-8"
}

// negotiate picks the answer's media type by the Accept headers: the one with the highest quality, the more modern of equals when it is
// named. Without a header, and for wildcards, it is application/json, which every client reads. Empty: nothing acceptable.
//
// Answers in parts are welcome where multipart/mixed is named, in no other version of incremental delivery than ours and
// not below the rest. They are the media type itself only when nothing else is acceptable.
func negotiate(accept []string) (media string, parts bool) {
	if len(accept) == 0 {
		return mediaJSON, false
	}
	best, bestQuality, bestRank, partsQuality := "", 0, 0, 0
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
		case mediaParts:
			if takesParts(params) {
				partsQuality = max(partsQuality, quality(params))
			}
			continue
		default:
			continue
		}
		q := quality(params)
		if q > bestQuality || q == bestQuality && q > 0 && rank > bestRank {
			best, bestQuality, bestRank = pick, q, rank
		}
	}
	if best == "" && partsQuality > 0 {
		best = mediaParts
	}
	return best, partsQuality > 0 && partsQuality >= bestQuality
}

// takesParts says whether the parameters of an accepted multipart/mixed are for parts of a deferred answer as we send them.
// Other parameters that clients give it (subscriptionSpec, incrementalSpec) ask for other protocols.
func takesParts(params string) bool {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.ToLower(name) {
		case "deferspec":
			return strings.Trim(value, `"`) == deferSpec
		case "subscriptionspec", "incrementalspec":
			return false
		}
	}
	return true
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
