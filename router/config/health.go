package config

import "strings"

// Health says what load balancers and supervisors are told.
type Health struct {
	AlivePath string   `yaml:"alive_path" default:"/healthz" doc:"Answers 200 as long as the process does."`
	ReadyPath string   `yaml:"ready_path" default:"/readyz" doc:"Answers 200 when requests are served, and 503 before and while the router drains."`
	Subgraphs string   `yaml:"subgraphs" default:"none" enum:"none|any|all" doc:"How many subgraphs must answer a query for the router to be ready."`
	Interval  Duration `yaml:"interval" default:"5s" min:"100ms" doc:"How long what was found at the subgraphs is told again before they are asked anew."`
	Timeout   Duration `yaml:"timeout" default:"2s" min:"1ms" doc:"Time in which a subgraph must answer."`
}

// Check implements checker.
func (h *Health) Check() error {
	if !validPath(h.AlivePath) {
		return badKey("alive_path", badPath)
	}
	if !validPath(h.ReadyPath) || h.ReadyPath == h.AlivePath {
		return badKey("ready_path", badPath+", and the two are different")
	}
	return nil
}

const badPath = "a path begins with / and has no blanks or braces"

func validPath(p string) bool { return strings.HasPrefix(p, "/") && !strings.ContainsAny(p, " {}") }
