export type { RegisterInput, Role, SignInInput } from './gql/graphql.ts'
export * from './session.ts'
export * from './useSession.ts'
