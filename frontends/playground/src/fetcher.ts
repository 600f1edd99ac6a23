/** How operations reach the router: HTTP, parts for @defer, and WebSocket or server-sent events for subscriptions. */
import { createGraphiQLFetcher, type Fetcher, type FetcherParams } from '@graphiql/toolkit'
import { Kind, type OperationDefinitionNode, parse } from 'graphql'
import { createClient as overWebSocket } from 'graphql-ws'
import { asking, change, current } from './explain.ts'
import type { Explanation } from './router.ts'
import { events } from './sse.ts'

export type Transport = 'websocket' | 'sse'

export function fetcherFor(
  endpoint: string,
  transport: () => Transport,
): { fetcher: Fetcher; close(): void } {
  let headers: Record<string, string> = {}
  const socket = overWebSocket({
    url: new URL(endpoint, location.href).href.replace(/^http/, 'ws'),
    connectionParams: () => headers,
  })
  const whole = createGraphiQLFetcher({ url: endpoint, fetch: explaining })
  const fetcher: Fetcher = (parameters, options) => {
    headers = (options?.headers ?? {}) as Record<string, string>
    if (!subscribes(parameters)) return whole(parameters, options)
    const live = transport() === 'sse' ? events(endpoint, parameters, headers) : socket.iterate(parameters)
    return live as unknown as ReturnType<Fetcher>
  }
  return { fetcher, close: () => void socket.dispose() }
}

/** Whether the operation that is meant is a subscription. */
function subscribes({ query, operationName }: FetcherParams): boolean {
  return operationsOf(query).some(
    (operation) =>
      (!operationName || operation.name?.value === operationName) && operation.operation === 'subscription',
  )
}

/** The name, where an operation of the text has it: what the editor takes for the name may be a moment behind its text. */
export function nameWithin(query: string, name?: string | null): { operationName?: string } {
  return name && operationsOf(query).some((operation) => operation.name?.value === name)
    ? { operationName: name }
    : {}
}

/** The operations of a text; none while it is no GraphQL, of which the router says what is wrong. */
function operationsOf(query: string): OperationDefinitionNode[] {
  try {
    return parse(query).definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
  } catch {
    return []
  }
}

/** fetch that asks for explanations where runs are to be explained, and keeps them out of the answer that is shown. */
async function explaining(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const introspects = typeof init?.body === 'string' && init.body.includes('__schema')
  if (!current().withRuns || introspects) return fetch(input, init)
  const asked = await fetch(input, {
    ...init,
    headers: { ...(init?.headers as Record<string, string>), ...asking('plan, timings') },
  })
  if (!asked.headers.get('Content-Type')?.includes('json')) return asked
  const body = (await asked.json()) as { extensions?: Explanation & Record<string, unknown> }
  change({ last: explanationOf(body, asked.status) })
  if (body.extensions) {
    const { queryPlan: _plan, timings: _timings, ...rest } = body.extensions
    if (Object.keys(rest).length > 0) body.extensions = rest
    else delete body.extensions
  }
  return new Response(JSON.stringify(body), { status: asked.status, headers: asked.headers })
}

/** Asks for the plan alone: nothing is executed. */
export async function askPlan(
  endpoint: string,
  operation: { query: string; operationName?: string; variables?: unknown },
  headers: Record<string, string>,
) {
  try {
    const answer = await fetch(endpoint, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers, ...asking('plan-only') },
      body: JSON.stringify(operation),
    })
    change({ last: explanationOf(await answer.json(), answer.status) })
  } catch (error) {
    change({ last: { problem: String(error) } })
  }
}

function explanationOf(body: unknown, status: number) {
  const { extensions, errors } = body as { extensions?: Explanation; errors?: { message: string }[] }
  if (extensions?.queryPlan)
    return { queryPlan: extensions.queryPlan, ...(extensions.timings ? { timings: extensions.timings } : {}) }
  return { problem: errors?.map((error) => error.message).join('\n') ?? `HTTP status ${status}` }
}
