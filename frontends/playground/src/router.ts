/** What the router says of itself in playground.json. */
export interface RouterConfig {
  /** Path of the GraphQL endpoint. */
  endpoint: string
  /** Whether there is anyone to whom plans and timings are explained. */
  explain: boolean
}

export interface PlannedFetch {
  id: number
  subgraph: string
  query: string
  variables?: string[]
  include?: string
  entities?: { variable: string; paths: string[] | null; representations: Record<string, string[]> }[]
}

export interface QueryPlan {
  operation: string
  operationName?: string
  labels?: string[]
  searchStopped?: boolean
  stages: PlannedFetch[][]
  deferred?: { label?: string; path: string; depends: number[]; stages: PlannedFetch[][] }[]
  text: string
}

/** One subgraph request; times are microseconds. */
export interface FetchTiming {
  fetch: number
  subgraph: string
  start: number
  duration: number
  status?: number
  failed?: boolean
  sent: number
  received: number
  entities?: number
  retries?: number
  hedged?: boolean
  shared?: boolean
  cached?: boolean
}

export interface Timings {
  parse: number
  validate: number
  plan: number
  planCached: boolean
  fetches: FetchTiming[]
  print: number
  total: number
}

export interface Explanation {
  queryPlan?: QueryPlan
  timings?: Timings
}
