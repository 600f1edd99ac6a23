package config_test

import (
	"bytes"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"bourse/router/config"
)

// editor is the JSON schema as an editor's library takes it.
func editor(t *testing.T) func(text string) error {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(config.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("router.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("router.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) error {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		return schema.Validate(v)
	}
}

// Whoever types a file by the schema sees the page's files pass, and mistakes marked.
func TestEditorsKnowTheFileByItsSchema(t *testing.T) {
	validate := editor(t)
	for _, one := range files(t) {
		if err := validate(one); err != nil {
			t.Errorf("%v in\n%s", err, one)
		}
	}
	for _, mistake := range []string{
		"lisen: {}", "listen: {adress: ':4000'}", "subgraphs: {timeout: 10}", "subgraphs: {timeout: 10sec}", "http: {uploads: {max_file: 10MO}}",
		"limits: {depth: many}", "limits: {depth: 12.5}", "limits: {depth: 0}", "http: {compressed_bodies: often}", "http: {compression: [lzma]}",
		"subgraphs: {products: {}}", "subgraphs: {each: [products]}", "subgraphs: {each: {products: 'http://a/'}}", "rate: {rules: {name: a, limit: 1}}",
		"rate: {rules: [{name: a}]}", "headers: {forward: Authorization}", "listen: {tls: {certificate: a.pem}}", "telemetry: {traces: {ratio: 10}}",
		"identity: {issuers: [{name: a, algorithms: [RSA256]}]}", "cost: {mode: maybe}", "[]", "text",
	} {
		if validate(mistake) == nil {
			t.Errorf("%s is taken", mistake)
		}
	}
}
