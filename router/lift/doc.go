// Package lift takes the literals out of an operation, so that clients who write values into their operations share one plan.
//
//	{ a: market(symbol: "X") { name } }   ─Read─►   query($lit0:ID!){a:market(symbol:$lit0){name}}   and lit0 = "X"
//
// Read prints the operation in a canonical form in which white space, comments, the order of variable definitions and everything
// that the operation does not use are gone. Two operations with the same text differ in nothing but the values of their literals;
// Apply turns a validated document into the one that the text stands for.
//
// What decides about the shape of an answer stays where it is: arguments of directives, the defaults of variables and
// everything about introspection. A literal stays as well where JSON cannot say what it says, or where it is not a value of its type.
package lift
