package venue

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/money"
)

// Every type of the package that decides is a command, and every command can travel.
func TestEveryCommandHasANameOnTheWire(t *testing.T) {
	named := map[string]bool{}
	for typ := range wireTypes {
		named[typ.Elem().Name()] = true
	}
	if len(named) != len(wireNames) {
		t.Errorf("%d names for %d types", len(wireNames), len(named))
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	look := func(n ast.Node) bool {
		method, ok := n.(*ast.FuncDecl)
		if !ok || method.Recv == nil || method.Name.Name != "decide" {
			return true
		}
		pointer, ok := method.Recv.List[0].Type.(*ast.StarExpr)
		if !ok {
			return true
		}
		found++
		if name := pointer.X.(*ast.Ident).Name; !named[name] {
			t.Errorf("%s is a command that is not in wireNames", name)
		}
		return true
	}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, look)
	}
	if found != len(wireNames) {
		t.Errorf("%d commands in the sources, %d names on the wire", found, len(wireNames))
	}
}

// A command of any kind with anything in it arrives as it was sent.
func TestCommandsArriveAsTheyWereSent(t *testing.T) {
	for name, empty := range wireNames {
		rapid.Check(t, func(t *rapid.T) {
			seed := rapid.Uint64().Draw(t, "seed")
			cmd := empty()
			imagine(rand.New(rand.NewPCG(seed, 1)), reflect.ValueOf(cmd).Elem())
			data, err := MarshalCommand(cmd)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			read, err := UnmarshalCommand(data)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !reflect.DeepEqual(cmd, read) {
				t.Fatalf("sent %+v, read %+v", cmd, read)
			}
		})
	}
}

// imagine gives every field of a value something to carry.
func imagine(r *rand.Rand, v reflect.Value) {
	if d, ok := v.Addr().Interface().(*money.Decimal); ok {
		*d = money.NewDecimal(int64(r.Uint64()>>1), uint8(r.UintN(money.MaxScale)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			imagine(r, v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		imagine(r, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+r.IntN(3), 4))
		for i := range v.Len() {
			imagine(r, v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			imagine(r, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 1 + r.IntN(3) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			imagine(r, key)
			imagine(r, value)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		letters := []rune("aZ0-:<&>\"\\é\u2028界")
		text := make([]rune, 1+r.IntN(12))
		for i := range text {
			text[i] = letters[r.IntN(len(letters))]
		}
		v.SetString(string(text))
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(r.Uint64()) >> (64 - v.Type().Bits()))
	default:
		v.SetUint(r.Uint64() >> (64 - v.Type().Bits()))
	}
}

func TestWhatIsNoCommandIsRefused(t *testing.T) {
	good, err := MarshalCommand(&CancelOrder{Actor: 7, Key: "k", Order: 9})
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"nothing":          "",
		"no object":        "7",
		"an unknown name":  strings.Replace(string(good), "cancel-order", "cancel-world", 1),
		"an unknown field": strings.Replace(string(good), `"Order"`, `"Ordre"`, 1),
		"another body":     strings.Replace(string(good), `"Order":9`, `"Order":8`, 1),
		"a missing field":  strings.Replace(string(good), `,"Order":9`, ``, 1),
		"a number too big": strings.Replace(string(good), `"Order":9`, `"Order":99999999999999999999`, 1),
		"two":              string(good) + string(good),
		"too long":         string(good) + strings.Repeat(" ", MaxWire),
	} {
		if cmd, err := UnmarshalCommand([]byte(bad)); err == nil {
			t.Errorf("%s was read as %+v", name, cmd)
		}
	}
	if _, err := MarshalCommand(&CancelAll{Key: "k", Symbol: "\xff"}); err == nil {
		t.Error("text that is not UTF-8 went out, to arrive as other text")
	}
	if _, err := MarshalCommand(&PlaceOrder{Symbol: market.Symbol(strings.Repeat("x", MaxWire))}); err == nil {
		t.Error("a command that nobody reads went out")
	}
}

func FuzzUnmarshalCommand(f *testing.F) {
	for _, cmd := range []Command{
		&PlaceOrder{Actor: account.ID(1), Key: "a", Symbol: "A-B", Side: market.Buy, Type: market.Limit, Price: 1, Quantity: 1},
		&AddAsset{Key: "b", Asset: money.Asset{Code: "BTC", Scale: 8}},
	} {
		data, err := MarshalCommand(cmd)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		cmd, err := UnmarshalCommand(data)
		if err != nil {
			return
		}
		again, err := MarshalCommand(cmd)
		if err != nil {
			t.Fatalf("%s was read and cannot be written: %v", data, err)
		}
		if read, err := UnmarshalCommand(again); err != nil || !reflect.DeepEqual(read, cmd) {
			t.Fatalf("%s became %s", data, again)
		}
	})
}
