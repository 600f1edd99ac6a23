/* eslint-disable */
import * as types from './graphql';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "fragment Tokens on SessionPayload {\n  accessToken\n  accessTokenExpiresAt\n  refreshToken\n  refreshTokenExpiresAt\n  role\n  username\n  displayName\n}\n\nmutation SignIn($input: SignInInput!) {\n  signIn(input: $input) {\n    ...Tokens\n  }\n}\n\nmutation Register($input: RegisterInput!) {\n  register(input: $input) {\n    ...Tokens\n  }\n}\n\nmutation RefreshSession($refreshToken: String!) {\n  refreshSession(refreshToken: $refreshToken) {\n    ...Tokens\n  }\n}\n\nmutation SignOut($refreshToken: String!) {\n  signOut(refreshToken: $refreshToken) {\n    signedOut\n  }\n}": typeof types.TokensFragmentDoc,
};
const documents: Documents = {
    "fragment Tokens on SessionPayload {\n  accessToken\n  accessTokenExpiresAt\n  refreshToken\n  refreshTokenExpiresAt\n  role\n  username\n  displayName\n}\n\nmutation SignIn($input: SignInInput!) {\n  signIn(input: $input) {\n    ...Tokens\n  }\n}\n\nmutation Register($input: RegisterInput!) {\n  register(input: $input) {\n    ...Tokens\n  }\n}\n\nmutation RefreshSession($refreshToken: String!) {\n  refreshSession(refreshToken: $refreshToken) {\n    ...Tokens\n  }\n}\n\nmutation SignOut($refreshToken: String!) {\n  signOut(refreshToken: $refreshToken) {\n    signedOut\n  }\n}": types.TokensFragmentDoc,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "fragment Tokens on SessionPayload {\n  accessToken\n  accessTokenExpiresAt\n  refreshToken\n  refreshTokenExpiresAt\n  role\n  username\n  displayName\n}\n\nmutation SignIn($input: SignInInput!) {\n  signIn(input: $input) {\n    ...Tokens\n  }\n}\n\nmutation Register($input: RegisterInput!) {\n  register(input: $input) {\n    ...Tokens\n  }\n}\n\nmutation RefreshSession($refreshToken: String!) {\n  refreshSession(refreshToken: $refreshToken) {\n    ...Tokens\n  }\n}\n\nmutation SignOut($refreshToken: String!) {\n  signOut(refreshToken: $refreshToken) {\n    signedOut\n  }\n}"): typeof import('./graphql').TokensFragmentDoc;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
