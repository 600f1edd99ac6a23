package execute_test

import (
	"context"
	"testing"

	"bourse/router/execute"
)

func TestWhatClientsSeeOfErrors(t *testing.T) {
	const answer = `{"data":{"must":1},"errors":[{"message":"a secret","extensions":{"exception":"at db.go:7"}},{"message":"told","extensions":{"code":"TOLD","hint":1,"trace":"t"}},{"message":"other","extensions":{"code":"OTHER","exception":"at db.go:8"}},{"message":"odd","extensions":{"code":7}}]}`
	const (
		general = `{"message":"The subgraph reported an error.","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}`
		secret  = `{"message":"a secret","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a","exception":"at db.go:7"}}`
		message = `{"message":"a secret","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}`
		told    = `{"message":"told","extensions":{"code":"TOLD","service":"a","hint":1,"trace":"t"}}`
		hinted  = `{"message":"told","extensions":{"code":"TOLD","service":"a","hint":1}}`
		bare    = `{"message":"told","extensions":{"code":"TOLD","service":"a"}}`
		other   = `{"message":"other","extensions":{"code":"OTHER","service":"a","exception":"at db.go:8"}}`
		code    = `{"message":"other","extensions":{"code":"OTHER","service":"a"}}`
		odd     = `{"message":"odd","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}`
	)
	hiding := execute.Errors{Mask: true}
	for name, c := range map[string]struct {
		o    execute.Options
		want [4]string
	}{
		"all":            {execute.Options{}, [4]string{secret, told, other, odd}},
		"masked":         {execute.Options{Errors: hiding}, [4]string{general, told, other, general}},
		"one code":       {execute.Options{Errors: execute.Errors{Codes: []string{"TOLD"}}}, [4]string{general, told, general, general}},
		"one extension":  {execute.Options{Errors: execute.Errors{Extensions: []string{"hint"}}}, [4]string{message, hinted, code, odd}},
		"no extensions":  {execute.Options{Errors: execute.Errors{Extensions: []string{}}}, [4]string{message, bare, code, odd}},
		"not this one":   {execute.Options{Errors: hiding, ErrorsOf: map[string]execute.Errors{"a": {}}}, [4]string{secret, told, other, odd}},
		"this one alone": {execute.Options{ErrorsOf: map[string]execute.Errors{"a": hiding}}, [4]string{general, told, other, general}},
		"another one":    {execute.Options{ErrorsOf: map[string]execute.Errors{"b": hiding}}, [4]string{secret, told, other, odd}},
	} {
		sg := load(t, peopleSDL)
		s := &script{answers: map[string]*execute.Response{"a": ok(answer)}}
		r := execute.New(sg, s, c.o).Execute(context.Background(), planFor(t, sg, `{ must }`, nil))
		want := `{"data":{"must":1},"errors":[` + c.want[0] + "," + c.want[1] + "," + c.want[2] + "," + c.want[3] + `]}`
		if got := string(r.JSON()); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
		}
		r.Release()
	}
}
