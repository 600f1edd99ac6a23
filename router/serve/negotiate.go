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
	mediaLive    = "multipart/mixed;subscriptionSpec" // the same with the parts of a subscription
)

func contentType(media string) string {
	switch media {
	case mediaJSON:
		return mediaJSON + "; charset=utf-8"
	case mediaGraphQL:
		return mediaGraphQL + "; charset=utf-8"
	case mediaParts:
		return mediaParts + `;boundary="-";deferSpec=` + deferSpec
	case mediaLive:
		return mediaParts + `;boundary="` + liveBoundary + `";subscriptionSpec=` + subscriptionSpec
	}
	return media + "; charset=utf-8"
}

// accepted is what a client takes.
type accepted struct {
	media string // of the answer; empty: nothing that there is
	parts bool   // a deferred answer may come in parts
	live  bool   // a subscription may come as multipart/mixed
}

// negotiate picks the answer's media type by the Accept headers: the one with the highest quality, the more modern of equals when it is
// named. Without a header, and for wildcards, it is application/json, which every client reads.
//
// Answers in parts are welcome where multipart/mixed is named, in no other version of incremental delivery than ours and
// not below the rest; subscriptions in parts where it is named with subscriptionSpec. They are the media type itself only when nothing
// else is acceptable.
func negotiate(accept []string) accepted {
	all := strings.Join(accept, ",")
	if strings.Trim(all, " \t,") == "" {
		return accepted{media: mediaJSON}
	}
	var a accepted
	bestQuality, bestRank, partsQuality := 0, 0, 0
	for part := range strings.SplitSeq(all, ",") {
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
			switch partsOf(params) {
			case mediaParts:
				partsQuality = max(partsQuality, quality(params))
			case mediaLive:
				a.live = a.live || quality(params) > 0
			}
			continue
		default:
			continue
		}
		q := quality(params)
		if q > bestQuality || q == bestQuality && q > 0 && rank > bestRank {
			a.media, bestQuality, bestRank = pick, q, rank
		}
	}
	a.parts = partsQuality > 0 && partsQuality >= bestQuality
	switch {
	case a.media == "" && partsQuality > 0:
		a.media = mediaParts
	case a.media == "" && a.live:
		a.media = mediaLive
	}
	return a
}

// partsOf says which protocol in parts the parameters of an accepted multipart/mixed ask for: deferred answers or subscriptions
// as we send them. Others (incrementalSpec, other versions) there are none.
func partsOf(params string) string {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "deferspec":
			if value != deferSpec {
				return ""
			}
			return mediaParts
		case "subscriptionspec":
			if value != subscriptionSpec && value != "1" {
				return ""
			}
			return mediaLive
		case "incrementalspec":
			return ""
		}
	}
	return mediaParts
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
