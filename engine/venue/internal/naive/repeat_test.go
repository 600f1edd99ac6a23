package naive

import (
	"reflect"
)

func keyOf(c any) *string {
	return reflect.ValueOf(c).Elem().FieldByName("Key").Addr().Interface().(*string)
}

// repeat gives one of the latest commands again, now and then with another body under the same key.
func (s *stream) repeat() any {
	old := reflect.ValueOf(s.played[s.IntN(len(s.played))])
	for range 4 { // what is rare is repeated as often
		if old.Type() != reflect.TypeFor[*PlaceOrder]() {
			break
		}
		old = reflect.ValueOf(s.played[s.IntN(len(s.played))])
	}
	again := reflect.New(old.Elem().Type())
	again.Elem().Set(old.Elem())
	if s.rarely(3) {
		body := again.Elem().Field(again.Elem().NumField() - 1)
		switch {
		case body.CanInt():
			body.SetInt(body.Int() + 1)
		case body.CanUint():
			body.SetUint(body.Uint() ^ 1)
		case body.Kind() == reflect.Bool:
			body.SetBool(!body.Bool())
		case body.Kind() == reflect.String:
			body.SetString(body.String() + "X")
		}
	}
	return again.Interface()
}
