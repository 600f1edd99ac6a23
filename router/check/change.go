package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Severity ranks a change.
type Severity string

// Severities of changes.
const (
	Breaking  Severity = "BREAKING"
	Dangerous Severity = "DANGEROUS"
	Safe      Severity = "SAFE"
)

// Code says what kind of change it is. Codes are stable.
type Code string

// Codes of changes.
const (
	TypeRemoved              Code = "TYPE_REMOVED"
	TypeAdded                Code = "TYPE_ADDED"
	TypeKindChanged          Code = "TYPE_KIND_CHANGED"
	RootTypeRemoved          Code = "ROOT_TYPE_REMOVED"
	RootTypeAdded            Code = "ROOT_TYPE_ADDED"
	RootTypeChanged          Code = "ROOT_TYPE_CHANGED"
	FieldRemoved             Code = "FIELD_REMOVED"
	FieldAdded               Code = "FIELD_ADDED"
	FieldTypeChanged         Code = "FIELD_TYPE_CHANGED"
	FieldBecameNullable      Code = "FIELD_BECAME_NULLABLE"
	FieldBecameNonNull       Code = "FIELD_BECAME_NON_NULL"
	ArgRemoved               Code = "ARG_REMOVED"
	OptionalArgAdded         Code = "OPTIONAL_ARG_ADDED"
	RequiredArgAdded         Code = "REQUIRED_ARG_ADDED"
	ArgTypeChanged           Code = "ARG_TYPE_CHANGED"
	ArgBecameNullable        Code = "ARG_BECAME_NULLABLE"
	ArgBecameRequired        Code = "ARG_BECAME_REQUIRED"
	ArgDefaultChanged        Code = "ARG_DEFAULT_CHANGED"
	InterfaceRemoved         Code = "TYPE_REMOVED_FROM_INTERFACE"
	InterfaceAdded           Code = "TYPE_ADDED_TO_INTERFACE"
	UnionMemberRemoved       Code = "TYPE_REMOVED_FROM_UNION"
	UnionMemberAdded         Code = "TYPE_ADDED_TO_UNION"
	EnumValueRemoved         Code = "ENUM_VALUE_REMOVED"
	EnumValueAdded           Code = "ENUM_VALUE_ADDED"
	InputEnumValueAdded      Code = "INPUT_ENUM_VALUE_ADDED"
	InputFieldRemoved        Code = "INPUT_FIELD_REMOVED"
	OptionalInputFieldAdded  Code = "OPTIONAL_INPUT_FIELD_ADDED"
	RequiredInputFieldAdded  Code = "REQUIRED_INPUT_FIELD_ADDED"
	InputFieldTypeChanged    Code = "INPUT_FIELD_TYPE_CHANGED"
	InputFieldBecameNullable Code = "INPUT_FIELD_BECAME_NULLABLE"
	InputFieldBecameRequired Code = "INPUT_FIELD_BECAME_REQUIRED"
	InputFieldDefaultChanged Code = "INPUT_FIELD_DEFAULT_CHANGED"
	OneOfAdded               Code = "ONE_OF_ADDED"
	OneOfRemoved             Code = "ONE_OF_REMOVED"
	SpecifiedByChanged       Code = "SPECIFIED_BY_CHANGED"
	DirectiveRemoved         Code = "DIRECTIVE_REMOVED"
	DirectiveAdded           Code = "DIRECTIVE_ADDED"
	DirectiveLocationRemoved Code = "DIRECTIVE_LOCATION_REMOVED"
	DirectiveLocationAdded   Code = "DIRECTIVE_LOCATION_ADDED"
	DirectiveNotRepeatable   Code = "DIRECTIVE_REPEATABLE_REMOVED"
	DirectiveRepeatable      Code = "DIRECTIVE_REPEATABLE_ADDED"
	DirectiveArgRemoved      Code = "DIRECTIVE_ARG_REMOVED"
	OptionalDirectiveArg     Code = "OPTIONAL_DIRECTIVE_ARG_ADDED"
	RequiredDirectiveArg     Code = "REQUIRED_DIRECTIVE_ARG_ADDED"
	DirectiveArgTypeChanged  Code = "DIRECTIVE_ARG_TYPE_CHANGED"
	DirectiveArgNullable     Code = "DIRECTIVE_ARG_BECAME_NULLABLE"
	DirectiveArgRequired     Code = "DIRECTIVE_ARG_BECAME_REQUIRED"
	DirectiveArgDefault      Code = "DIRECTIVE_ARG_DEFAULT_CHANGED"
	DeprecationAdded         Code = "DEPRECATION_ADDED"
	DeprecationRemoved       Code = "DEPRECATION_REMOVED"
	DeprecationReasonChanged Code = "DEPRECATION_REASON_CHANGED"
	DescriptionChanged       Code = "DESCRIPTION_CHANGED"
	AppliedDirectiveChanged  Code = "APPLIED_DIRECTIVE_CHANGED"
	// OperationInvalid: a recorded operation no longer validates although no single change explains it.
	OperationInvalid Code = "OPERATION_INVALID"
)

var severities = map[Code]Severity{
	TypeRemoved: Breaking, TypeAdded: Safe, TypeKindChanged: Breaking,
	RootTypeRemoved: Breaking, RootTypeAdded: Safe, RootTypeChanged: Dangerous,
	FieldRemoved: Breaking, FieldAdded: Safe, FieldTypeChanged: Breaking, FieldBecameNullable: Breaking, FieldBecameNonNull: Safe,
	ArgRemoved: Breaking, OptionalArgAdded: Dangerous, RequiredArgAdded: Breaking, ArgTypeChanged: Breaking, ArgBecameNullable: Safe,
	ArgBecameRequired: Breaking, ArgDefaultChanged: Dangerous,
	InterfaceRemoved: Breaking, InterfaceAdded: Dangerous, UnionMemberRemoved: Breaking, UnionMemberAdded: Dangerous,
	EnumValueRemoved: Breaking, EnumValueAdded: Dangerous, InputEnumValueAdded: Safe,
	InputFieldRemoved: Breaking, OptionalInputFieldAdded: Dangerous, RequiredInputFieldAdded: Breaking, InputFieldTypeChanged: Breaking,
	InputFieldBecameNullable: Safe, InputFieldBecameRequired: Breaking, InputFieldDefaultChanged: Dangerous,
	OneOfAdded: Breaking, OneOfRemoved: Safe, SpecifiedByChanged: Dangerous,
	DirectiveRemoved: Breaking, DirectiveAdded: Safe, DirectiveLocationRemoved: Breaking, DirectiveLocationAdded: Safe,
	DirectiveNotRepeatable: Breaking, DirectiveRepeatable: Safe, DirectiveArgRemoved: Breaking, OptionalDirectiveArg: Safe,
	RequiredDirectiveArg: Breaking, DirectiveArgTypeChanged: Breaking, DirectiveArgNullable: Safe, DirectiveArgRequired: Breaking,
	DirectiveArgDefault: Dangerous,
	DeprecationAdded:    Safe, DeprecationRemoved: Safe, DeprecationReasonChanged: Safe, DescriptionChanged: Safe, AppliedDirectiveChanged: Safe,
}

// Change is one difference between two schemas.
type Change struct {
	Code       Code     `json:"code"`
	Severity   Severity `json:"severity"`
	Coordinate string   `json:"coordinate"` // Type, Type.field, Type.field(argument:), Enum.VALUE, @directive or @directive(argument:)
	Message    string   `json:"message"`
	// Operations are the recorded ones that a breaking change breaks, or whose answers a dangerous one may alter.
	Operations []Use `json:"operations"`

	// hits says what the change does to an operation; nil: nothing.
	hits func(*uses) verdict
}

// Use is a recorded operation that a change concerns.
type Use struct {
	Operation string `json:"operation"` // its name; empty when it has none
	Source    string `json:"source"`    // where it was recorded
	Count     int64  `json:"count"`     // how often it was seen; 1 where that was not recorded
	Certain   bool   `json:"certain"`   // false: it depends on variables that were not recorded
}

// verdict says whether a change concerns an operation.
type verdict int

const (
	no verdict = iota
	perhaps
	yes
)

func certainly(holds bool) verdict {
	if holds {
		return yes
	}
	return no
}

func possibly(holds bool) verdict {
	if holds {
		return perhaps
	}
	return no
}

var ranks = map[Severity]int{Breaking: 0, Dangerous: 1, Safe: 2}

// sortChanges puts what matters most first, then by coordinate.
func sortChanges(all []*Change) {
	slices.SortStableFunc(all, func(a, b *Change) int {
		return cmp.Or(ranks[a.Severity]-ranks[b.Severity], cmp.Compare(a.Coordinate, b.Coordinate), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message))
	})
}

func (c *Change) String() string {
	return fmt.Sprintf("%s %s %s: %s", c.Severity, c.Code, c.Coordinate, c.Message)
}

// Codes lists every code that a comparison of schemas may give.
func Codes() []Code {
	return slices.Sorted(maps.Keys(severities))
}
