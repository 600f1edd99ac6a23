package execute_test

import (
	"context"
	"testing"

	"bourse/router/compose"
	"bourse/router/execute"
)

// paperSubgraphs have everything that a subgraph can get wrong: an interface, non-null fields, lists of lists, enums, entities.
var paperSubgraphs = []compose.Subgraph{
	{Name: "a", SDL: `
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
type Query { papers: [Paper] paper: Paper grid: [[Int]] note: Note kind: Kind }
interface Paper { id: ID! }
type Bond implements Paper @key(fields: "id") { id: ID! }
type Fund implements Paper @key(fields: "id") { id: ID! fee: Int! }
type Note { text: String strict: String! }
enum Kind { OLD NEW }`},
	{Name: "b", SDL: `
extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
type Bond @key(fields: "id") { id: ID! price: Int sure: Int! tags: [String!] pair: Pair }
type Fund @key(fields: "id") { id: ID! price: Int sure: Int! tags: [String!] pair: Pair }
type Pair { left: Int right: Int }`},
}

// A subgraph that breaks its contract costs the client what that subgraph should have said, with an error where something is
// broken, and never anything else. (Entities are taken in the order in which they come: nothing in an answer could tell.)
func TestBreachesOfContract(t *testing.T) {
	supergraph := load(t, composed(t, paperSubgraphs))
	const good = `{"data":{"papers":[{"__typename":"Bond","id":"1"},{"__typename":"Fund","id":"2"}]}}`
	for name, c := range map[string]struct{ op, a, b, want string }{
		"no type name": {
			`{ papers { id } }`, `{"data":{"papers":[{"id":"1"},{"__typename":"Fund","id":"2"}]}}`, ``,
			`{"data":{"papers":[null,{"id":"2"}]},"errors":[{"message":"The subgraph's value for Query.papers does not fit its type [Paper].","path":["papers",0],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"no type name where nothing depends on it": {
			`{ papers { id } paper { __typename } }`, `{"data":{"papers":[{"id":"1"}],"paper":{}}}`, ``,
			`{"data":{"papers":[null],"paper":null},"errors":[{"message":"The subgraph's value for Query.papers does not fit its type [Paper].","path":["papers",0],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}},{"message":"The subgraph's value for Query.paper does not fit its type Paper.","path":["paper"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"unknown type name": {
			`{ papers { id } }`, `{"data":{"papers":[{"__typename":"Coin","id":"1"},{"__typename":"Fund","id":"2"}]}}`, ``,
			`{"data":{"papers":[null,{"id":"2"}]},"errors":[{"message":"The subgraph's value for Query.papers does not fit its type [Paper].","path":["papers",0],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"type that does not belong here": {
			`{ papers { id } }`, `{"data":{"papers":[{"__typename":"Note","id":"1"},{"__typename":"Query","id":"2"}]}}`, ``,
			`{"data":{"papers":[null,null]},"errors":[{"message":"The subgraph's value for Query.papers does not fit its type [Paper].","path":["papers",0],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}},{"message":"The subgraph's value for Query.papers does not fit its type [Paper].","path":["papers",1],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"type name that is no text": {
			`{ papers { id } }`, `{"data":{"papers":[{"__typename":7,"id":"1"},{"__typename":null,"id":"2"},{"__typename":["Bond"],"id":"3"}]}}`, ``,
			`{"data":{"papers":[null,null,null]},"errors":[{"message":"The subgraph's value for Query.papers does not fit its type [Paper].","path":["papers",0],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}},{"message":"The subgraph's value for Query.papers does not fit its type [Paper].","path":["papers",1],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}},{"message":"The subgraph's value for Query.papers does not fit its type [Paper].","path":["papers",2],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"type name last": {
			`{ papers { id ... on Fund { fee } } }`, `{"data":{"papers":[{"id":"1","__typename":"Bond"},{"fee":3,"id":"2","__typename":"Fund"}]}}`, ``,
			`{"data":{"papers":[{"id":"1"},{"id":"2","fee":3}]}}`,
		},
		"object for a list": {
			`{ papers { id } note { text } }`, `{"data":{"papers":{"__typename":"Bond","id":"1"},"note":{"text":"t"}}}`, ``,
			`{"data":{"papers":null,"note":{"text":"t"}},"errors":[{"message":"The subgraph's value for Query.papers does not fit its type [Paper].","path":["papers"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"list for an object": {
			`{ paper { id } note { text } }`, `{"data":{"paper":[{"__typename":"Bond","id":"1"}],"note":[[{"text":"t"}]]}}`, ``,
			`{"data":{"paper":null,"note":null},"errors":[{"message":"The subgraph's value for Query.paper does not fit its type Paper.","path":["paper"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}},{"message":"The subgraph's value for Query.note does not fit its type Note.","path":["note"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"leaf for an object": {
			`{ paper { id } note { text } kind }`, `{"data":{"paper":"Bond","note":5,"kind":"OLD"}}`, ``,
			`{"data":{"paper":null,"note":null,"kind":"OLD"},"errors":[{"message":"The subgraph's value for Query.paper does not fit its type Paper.","path":["paper"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}},{"message":"The subgraph's value for Query.note does not fit its type Note.","path":["note"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"object for a leaf": {
			`{ note { text } kind }`, `{"data":{"note":{"text":{"a":[1]}},"kind":{"x":1}}}`, ``,
			`{"data":{"note":{"text":null},"kind":null},"errors":[{"message":"The subgraph's value for Note.text does not fit its type String.","path":["note","text"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}},{"message":"The subgraph's value for Query.kind does not fit its type Kind.","path":["kind"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"list for a leaf": {
			`{ note { text } kind }`, `{"data":{"note":{"text":["t"]},"kind":["OLD"]}}`, ``,
			`{"data":{"note":{"text":null},"kind":null},"errors":[{"message":"The subgraph's value for Note.text does not fit its type String.","path":["note","text"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}},{"message":"The subgraph's value for Query.kind does not fit its type Kind.","path":["kind"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"leaf for a list": {
			`{ papers { id } grid }`, `{"data":{"papers":3,"grid":7}}`, ``,
			`{"data":{"papers":null,"grid":null},"errors":[{"message":"The subgraph's value for Query.papers does not fit its type [Paper].","path":["papers"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}},{"message":"The subgraph's value for Query.grid does not fit its type [[Int]].","path":["grid"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"lists of the wrong depth": {
			`{ grid }`, `{"data":{"grid":[1,[2],[[3]],null]}}`, ``,
			`{"data":{"grid":[null,[2],[null],null]},"errors":[{"message":"The subgraph's value for Query.grid does not fit its type [[Int]].","path":["grid",0],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}},{"message":"The subgraph's value for Query.grid does not fit its type [[Int]].","path":["grid",2,0],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"text for a number": {
			`{ papers { ... on Fund { fee } } grid }`, `{"data":{"papers":[{"__typename":"Fund","fee":"x"}],"grid":[["y"]]}}`, ``,
			`{"data":{"papers":[null],"grid":[[null]]},"errors":[{"message":"The subgraph's value for Fund.fee does not fit its type Int!.","path":["papers",0,"fee"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}},{"message":"The subgraph's value for Query.grid does not fit its type [[Int]].","path":["grid",0,0],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"number for text and enum": {
			`{ note { text } kind }`, `{"data":{"note":{"text":5},"kind":7}}`, ``,
			`{"data":{"note":{"text":null},"kind":null},"errors":[{"message":"The subgraph's value for Note.text does not fit its type String.","path":["note","text"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}},{"message":"The subgraph's value for Query.kind does not fit its type Kind.","path":["kind"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"unknown enum value": {
			`{ kind }`, `{"data":{"kind":"MIDDLE"}}`, ``,
			`{"data":{"kind":null}}`,
		},
		"null where it may not be": {
			`{ note { text strict } papers { ... on Fund { fee } } }`, `{"data":{"note":{"text":"t","strict":null},"papers":[{"__typename":"Fund","fee":null},{"__typename":"Bond"}]}}`, ``,
			`{"data":{"note":null,"papers":[null,{}]},"errors":[{"message":"Cannot return null for non-nullable field Note.strict.","path":["note","strict"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}},{"message":"Cannot return null for non-nullable field Fund.fee.","path":["papers",0,"fee"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`,
		},
		"missing where it may not be": {
			`{ note { text strict } }`, `{"data":{"note":{"text":"t"}}}`, ``,
			`{"data":{"note":null},"errors":[{"message":"Cannot return null for non-nullable field Note.strict.","path":["note","strict"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`,
		},
		"fields that nobody asked for": {
			`{ note { text } }`, `{"data":{"note":{"more":{"x":[1,{}]},"text":"t","strict":null},"other":1},"more":[],"extensions":{"a":1}}`, ``,
			`{"data":{"note":{"text":"t"}}}`,
		},
		"key twice, leaf": {
			`{ note { text } kind }`, `{"data":{"note":{"text":"t","text":"u"},"kind":"OLD","kind":"NEW"}}`, ``,
			`{"data":{"note":{"text":"u"},"kind":"NEW"}}`,
		},
		"key twice, object": {
			`{ note { text strict } }`, `{"data":{"note":{"text":"t"},"note":{"strict":"s"}}}`, ``,
			`{"data":{"note":{"text":"t","strict":"s"}}}`,
		},
		"key twice, list": {
			`{ papers { id } }`, `{"data":{"papers":[{"__typename":"Bond","id":"1"}],"papers":[]}}`, ``,
			`{"data":{"papers":[]}}`,
		},
		"data twice": {
			`{ kind }`, `{"data":{"kind":"OLD"},"data":null}`, ``,
			`{"data":{"kind":"OLD"}}`,
		},
		"data is a list": {
			`{ kind }`, `{"data":[{"kind":"OLD"}]}`, ``,
			`{"data":{"kind":null},"errors":[{"message":"Subgraph 'a' gave an answer that cannot be read.","path":["kind"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"a"}}]}`,
		},
		"data is text": {
			`{ kind }`, `{"data":"OLD"}`, ``,
			`{"data":{"kind":null},"errors":[{"message":"Subgraph 'a' gave an answer that cannot be read.","path":["kind"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"a"}}]}`,
		},
		"answer is a list": {
			`{ kind }`, `[{"data":{"kind":"OLD"}}]`, ``,
			`{"data":{"kind":null},"errors":[{"message":"Subgraph 'a' gave an answer that cannot be read.","path":["kind"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"a"}}]}`,
		},
		"answer is empty": {
			`{ kind }`, ` `, ``,
			`{"data":{"kind":null},"errors":[{"message":"Subgraph 'a' gave an answer that cannot be read.","path":["kind"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"a"}}]}`,
		},
		"errors is an object": {
			`{ kind }`, `{"data":{"kind":"OLD"},"errors":{"message":"m"}}`, ``,
			`{"data":{"kind":"OLD"},"errors":[{"message":"m","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}]}`,
		},
		"errors is empty": {
			`{ kind }`, `{"data":{"kind":"OLD"},"errors":[]}`, ``,
			`{"data":{"kind":"OLD"}}`,
		},
		"errors is null": {
			`{ kind }`, `{"data":{"kind":"OLD"},"errors":null}`, ``,
			`{"data":{"kind":"OLD"}}`,
		},
		"error without a message": {
			`{ kind }`, `{"data":{"kind":null},"errors":[{"path":["kind"]}]}`, ``,
			`{"data":{"kind":null},"errors":[{"message":"Subgraph 'a' gave an error without a message.","path":["kind"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}]}`,
		},
		"error that is no object": {
			`{ kind note { text } }`, `{"data":{"kind":null,"note":{"text":"t"}},"errors":["broken"]}`, ``,
			`{"data":{"kind":null,"note":{"text":"t"}},"errors":[{"message":"Subgraph 'a' gave an error without a message.","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}]}`,
		},
		"error message that is no text": {
			`{ kind note { text } }`, `{"data":{"kind":null,"note":{"text":"t"}},"errors":[{"message":5}]}`, ``,
			`{"data":{"kind":null,"note":{"text":"t"}},"errors":[{"message":"Subgraph 'a' gave an error without a message.","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}]}`,
		},
		"error with a path that leads nowhere": {
			`{ kind }`, `{"data":{"kind":null},"errors":[{"message":"m","path":["nowhere",3,null,{"a":1}]}]}`, ``,
			`{"data":{"kind":null},"errors":[{"message":"m","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}]}`,
		},
		"error with a path that is no list": {
			`{ kind }`, `{"data":{"kind":null},"errors":[{"message":"m","path":"kind"}]}`, ``,
			`{"data":{"kind":null},"errors":[{"message":"m","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}]}`,
		},
		"error with extensions that are no object": {
			`{ kind }`, `{"data":{"kind":null},"errors":[{"message":"m","path":["kind"],"extensions":[1]}]}`, ``,
			`{"data":{"kind":null},"errors":[{"message":"m","path":["kind"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}]}`,
		},
		"error with a code that is no text": {
			`{ kind }`, `{"data":{"kind":null},"errors":[{"message":"m","path":["kind"],"extensions":{"code":5}}]}`, ``,
			`{"data":{"kind":null},"errors":[{"message":"m","path":["kind"],"extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"a"}}]}`,
		},
		"huge number": {
			`{ grid }`, `{"data":{"grid":[[123456789012345678901234567890,-0,1e400]]}}`, ``,
			`{"data":{"grid":[[null,-0,null]]},"errors":[{"message":"The subgraph's value for Query.grid does not fit its type [[Int]].","path":["grid",0,0],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}},{"message":"The subgraph's value for Query.grid does not fit its type [[Int]].","path":["grid",0,2],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"broken escape": {
			`{ note { text } }`, `{"data":{"note":{"text":"\uD800 \q"}}}`, ``,
			`{"data":{"note":null},"errors":[{"message":"Subgraph 'a' gave an answer that cannot be read.","path":["note"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"a"}}]}`,
		},
		"control character in text": {
			`{ note { text } }`, `{"data":{"note":{"text":"a\u0001b"}}}`, ``,
			`{"data":{"note":{"text":"a\u0001b"}}}`,
		},
		"entities in another order": {
			`{ papers { id ... on Bond { price } ... on Fund { price } } }`, ``, `{"data":{"_entities":[{"__typename":"Fund","price":20},{"__typename":"Bond","price":10}]}}`,
			`{"data":{"papers":[{"id":"1","price":20},{"id":"2","price":10}]}}`,
		},
		"entities without a type name": {
			`{ papers { ... on Bond { price } ... on Fund { price } } }`, ``, `{"data":{"_entities":[{"price":10},{"price":20}]}}`,
			`{"data":{"papers":[{"price":10},{"price":20}]}}`,
		},
		"entities are an object": {
			`{ papers { id ... on Bond { price } } }`, ``, `{"data":{"_entities":{"price":10}}}`,
			`{"data":{"papers":[{"id":"1","price":null},{"id":"2"}]},"errors":[{"message":"Subgraph 'b' gave an answer without data.","path":["papers",0,"price"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"b"}}]}`,
		},
		"entity is a list": {
			`{ papers { id ... on Bond { price } ... on Fund { price } } }`, ``, `{"data":{"_entities":[[{"price":10}],{"price":20}]}}`,
			`{"data":{"papers":[{"id":"1","price":null},{"id":"2","price":null}]},"errors":[{"message":"Subgraph 'b' gave an answer that cannot be read.","path":["papers",0,"price"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"b"}},{"message":"Subgraph 'b' gave an answer that cannot be read.","path":["papers",1,"price"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"b"}}]}`,
		},
		"entity is a leaf": {
			`{ papers { id ... on Bond { price } ... on Fund { price } } }`, ``, `{"data":{"_entities":[5,{"price":20}]}}`,
			`{"data":{"papers":[{"id":"1","price":null},{"id":"2","price":null}]},"errors":[{"message":"Subgraph 'b' gave an answer that cannot be read.","path":["papers",0,"price"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"b"}},{"message":"Subgraph 'b' gave an answer that cannot be read.","path":["papers",1,"price"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"b"}}]}`,
		},
		"too few entities": {
			`{ papers { id ... on Bond { price } ... on Fund { price } } }`, ``, `{"data":{"_entities":[{"price":10}]}}`,
			`{"data":{"papers":[{"id":"1","price":null},{"id":"2","price":null}]},"errors":[{"message":"Subgraph 'b' gave an answer that cannot be read.","path":["papers",0,"price"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"b"}},{"message":"Subgraph 'b' gave an answer that cannot be read.","path":["papers",1,"price"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"b"}}]}`,
		},
		"too many entities": {
			`{ papers { id ... on Bond { price } ... on Fund { price } } }`, ``, `{"data":{"_entities":[{"price":10},{"price":20},{"price":30}]}}`,
			`{"data":{"papers":[{"id":"1","price":null},{"id":"2","price":null}]},"errors":[{"message":"Subgraph 'b' gave an answer that cannot be read.","path":["papers",0,"price"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"b"}},{"message":"Subgraph 'b' gave an answer that cannot be read.","path":["papers",1,"price"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"b"}}]}`,
		},
		"no entities": {
			`{ papers { id ... on Bond { price } ... on Fund { price } } }`, ``, `{"data":{"_entities":[]}}`,
			`{"data":{"papers":[{"id":"1","price":null},{"id":"2","price":null}]},"errors":[{"message":"Subgraph 'b' gave an answer that cannot be read.","path":["papers",0,"price"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"b"}},{"message":"Subgraph 'b' gave an answer that cannot be read.","path":["papers",1,"price"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"b"}}]}`,
		},
		"entities missing": {
			`{ papers { id ... on Bond { price } ... on Fund { price } } }`, ``, `{"data":{}}`,
			`{"data":{"papers":[{"id":"1","price":null},{"id":"2","price":null}]},"errors":[{"message":"Subgraph 'b' gave an answer without data.","path":["papers",0,"price"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"b"}},{"message":"Subgraph 'b' gave an answer without data.","path":["papers",1,"price"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"b"}}]}`,
		},
		"entity null where null may not be": {
			`{ papers { id ... on Bond { sure } ... on Fund { sure } } }`, ``, `{"data":{"_entities":[null,{"sure":20}]}}`,
			`{"data":{"papers":[null,{"id":"2","sure":20}]},"errors":[{"message":"Cannot return null for non-nullable field Bond.sure.","path":["papers",0,"sure"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`,
		},
		"entity field null where it may not be": {
			`{ papers { id ... on Bond { sure price } ... on Fund { sure } } }`, ``, `{"data":{"_entities":[{"sure":null,"price":1},{"sure":20}]}}`,
			`{"data":{"papers":[null,{"id":"2","sure":20}]},"errors":[{"message":"Cannot return null for non-nullable field Bond.sure.","path":["papers",0,"sure"],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`,
		},
		"null in a list of non-null": {
			`{ papers { ... on Bond { tags } ... on Fund { tags } } }`, ``, `{"data":{"_entities":[{"tags":["x",null]},{"tags":["y"]}]}}`,
			`{"data":{"papers":[{"tags":null},{"tags":["y"]}]},"errors":[{"message":"Cannot return null for non-nullable field Bond.tags.","path":["papers",0,"tags",1],"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`,
		},
		"object in a list of leaves": {
			`{ papers { ... on Bond { tags } ... on Fund { tags } } }`, ``, `{"data":{"_entities":[{"tags":["x",{"y":1}]},{"tags":{"z":[]}}]}}`,
			`{"data":{"papers":[{"tags":null},{"tags":null}]},"errors":[{"message":"The subgraph's value for Bond.tags does not fit its type [String!].","path":["papers",0,"tags",1],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}},{"message":"The subgraph's value for Fund.tags does not fit its type [String!].","path":["papers",1,"tags"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"list for an entity's object": {
			`{ papers { ... on Bond { pair { left } price } } }`, ``, `{"data":{"_entities":[{"pair":[{"left":1}],"price":3}]}}`,
			`{"data":{"papers":[{"pair":null,"price":3},{}]},"errors":[{"message":"The subgraph's value for Bond.pair does not fit its type Pair.","path":["papers",0,"pair"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
		"error at an entity that is not there": {
			`{ papers { id ... on Bond { price } } }`, ``, `{"data":{"_entities":[{"price":null}]},"errors":[{"message":"m","path":["_entities",7,"price"]}]}`,
			`{"data":{"papers":[{"id":"1","price":null},{"id":"2"}]},"errors":[{"message":"m","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}}]}`,
		},
		"error at a negative place": {
			`{ papers { id ... on Bond { price } } }`, ``, `{"data":{"_entities":[{"price":null}]},"errors":[{"message":"m","path":["_entities",-1,"price"]}]}`,
			`{"data":{"papers":[{"id":"1","price":null},{"id":"2"}]},"errors":[{"message":"m","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}}]}`,
		},
		"error at half an entity": {
			`{ papers { id ... on Bond { price } } }`, ``, `{"data":{"_entities":[{"price":null}]},"errors":[{"message":"m","path":["_entities",0.5,"price"]}]}`,
			`{"data":{"papers":[{"id":"1","price":null},{"id":"2"}]},"errors":[{"message":"m","extensions":{"code":"DOWNSTREAM_SERVICE_ERROR","service":"b"}}]}`,
		},
		"data is null without an error": {
			`{ papers { id ... on Bond { price } } }`, ``, `{"data":null}`,
			`{"data":{"papers":[{"id":"1","price":null},{"id":"2"}]},"errors":[{"message":"Subgraph 'b' gave an answer without data.","path":["papers",0,"price"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE","service":"b"}}]}`,
		},
		"key that is no leaf": {
			`{ papers { id ... on Bond { price } } }`, `{"data":{"papers":[{"__typename":"Bond","id":{"a":1}},{"__typename":"Bond","id":["x"]}]}}`, `{"data":{"_entities":[{"price":1},{"price":2}]}}`,
			`{"data":{"papers":[null,null]},"errors":[{"message":"The subgraph's value for Bond.id does not fit its type ID!.","path":["papers",0,"id"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}},{"message":"The subgraph's value for Bond.id does not fit its type ID!.","path":["papers",1,"id"],"extensions":{"code":"SUBREQUEST_MALFORMED_RESPONSE"}}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.a == "" {
				c.a = good
			}
			s := &script{answers: map[string]*execute.Response{"a": ok(c.a), "b": ok(c.b)}}
			r := execute.New(supergraph, s, execute.Options{}).Execute(context.Background(), planFor(t, supergraph, c.op, nil))
			defer r.Release()
			if got := string(r.JSON()); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
