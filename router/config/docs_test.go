package config_test

import (
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"bourse/router/config"
)

var update = flag.Bool("update", false, "write the tables into the page")

const page = "../../docs/router.md"

// A table stands between <!-- options SECTION --> and <!-- end -->.
var table = regexp.MustCompile(`(?s)(<!-- options ([a-z_]+) -->\n)(.*?)(<!-- end -->)`)

// The page has the table of every section, as the structs have it now.
func TestThePageHasEveryOption(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	current := table.ReplaceAllStringFunc(string(text), func(found string) string {
		parts := table.FindStringSubmatch(found)
		shown[parts[2]] = true
		return parts[1] + config.Table(parts[2]) + parts[4]
	})
	for _, section := range config.Sections() {
		if !shown[section] {
			t.Errorf("%s has no table of the section %s: write <!-- options %s --> and <!-- end --> below its prose", page, section, section)
		}
	}
	if current == string(text) {
		return
	}
	if !*update {
		t.Fatalf("the tables of %s are out of date: go test ./router/config -update", page)
	}
	if err := os.WriteFile(page, []byte(current), 0o644); err != nil {
		t.Fatal(err)
	}
}

// files are what the page shows of files.
func files(t *testing.T) (shown []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile("(?s)\n```yaml[^\n]*\n(.*?)\n```").FindAllStringSubmatch(string(text), -1) {
		shown = append(shown, found[1])
	}
	if len(shown) < 8 {
		t.Fatalf("%d files are found", len(shown))
	}
	return shown
}

// What the page shows of files can be copied.
func TestThePagesFilesAreRead(t *testing.T) {
	variables := environment(map[string]string{"REDIS_URL": "redis://127.0.0.1:6379", "BATCH_SECRET": "of thirty-two characters at least"})
	for _, one := range files(t) {
		if _, err := config.Read("router.yaml", []byte(one), variables); err != nil {
			t.Errorf("%v in\n%s", err, one)
		}
	}
}

// Every key is in snake_case and says what it does.
func TestEveryOptionIsDescribed(t *testing.T) {
	var walk func(path string, u reflect.Type)
	walk = func(path string, u reflect.Type) {
		switch u.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(path, u.Elem())
		case reflect.Struct:
			for i := range u.NumField() {
				f := u.Field(i)
				if !f.IsExported() {
					continue
				}
				key, doc := f.Tag.Get("yaml"), f.Tag.Get("doc")
				if !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(key) {
					t.Errorf("%s.%s: the key %q is not in snake_case", path, f.Name, key)
				}
				if len(doc) < 10 || !strings.HasSuffix(doc, ".") {
					t.Errorf("%s.%s: %q is no description", path, key, doc)
				}
				if strings.HasPrefix(f.Type.PkgPath(), "bourse/") || f.Type.Kind() != reflect.Struct {
					walk(path+"."+key, f.Type)
				}
			}
		}
	}
	walk("config", reflect.TypeFor[config.Config]())
}

// The schema is JSON, knows every key of every section and lets nothing else in.
func TestTheSchemaKnowsEveryKey(t *testing.T) {
	var schema struct {
		Properties           map[string]struct{ Properties map[string]any }
		AdditionalProperties *bool
	}
	if err := json.Unmarshal(config.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	if schema.AdditionalProperties == nil || *schema.AdditionalProperties {
		t.Error("the schema lets unknown sections in")
	}
	rows := regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)\\.([a-z0-9_]+)` ")
	for _, section := range config.Sections() {
		for _, key := range rows.FindAllStringSubmatch(config.Table(section), -1) {
			if schema.Properties[key[1]].Properties[key[2]] == nil {
				t.Errorf("the schema does not know %s.%s", key[1], key[2])
			}
		}
	}
}
