export { type Connection, type ConnectionState, ConnectionWatch } from './connection.ts'
export { createApi, type Api } from './api.ts'
export { clientKey, codeOf, refusalOf } from './refusal.ts'
export type { Live, LiveSink } from './live.ts'
