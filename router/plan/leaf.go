package plan

import "strconv"

// Leaf is what JSON a leaf of the response may be: that of a scalar that the GraphQL specification defines (section 3.5), or any.
type Leaf uint8

// The kinds of leaves. An ID may come as text or as a whole number.
const (
	AnyLeaf Leaf = iota
	IntLeaf
	FloatLeaf
	StringLeaf
	BooleanLeaf
	IDLeaf
)

var leaves = map[string]Leaf{"Int": IntLeaf, "Float": FloatLeaf, "String": StringLeaf, "Boolean": BooleanLeaf, "ID": IDLeaf}

// Allows says whether a leaf may be this valid JSON, which is not null.
func (l Leaf) Allows(text []byte) bool {
	first := text[0]
	if l == StringLeaf {
		return first == '"' // most leaves are text
	}
	isNumber := first == '-' || '0' <= first && first <= '9'
	switch l {
	case IntLeaf:
		return isNumber && isWhole(text) && isShort(text)
	case FloatLeaf:
		return isNumber
	case BooleanLeaf:
		return first == 't' || first == 'f'
	case IDLeaf:
		return first == '"' || isNumber && isWhole(text)
	default:
		return true
	}
}

// isShort says whether a whole number has 32 bits.
func isShort(text []byte) bool {
	if len(text) < 10 {
		return true
	}
	_, err := strconv.ParseInt(string(text), 10, 32)
	return err == nil
}

func isWhole(text []byte) bool {
	for _, c := range text {
		if c == '.' || c == 'e' || c == 'E' {
			return false
		}
	}
	return true
}
