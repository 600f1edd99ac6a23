// Package identity says whom a request speaks for.
//
// It knows neither GraphQL nor which fields are protected: package access judges that by what is known of the identity.
package identity
