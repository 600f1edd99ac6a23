/** A plan as a drawing: stages from top to bottom, the fetches of a stage side by side. */
import { parse, print } from 'graphql'
import type { FetchTiming, PlannedFetch, QueryPlan, Timings } from './router.ts'

export function PlanView({ plan, timings }: { plan: QueryPlan; timings: Timings | undefined }) {
  const fetches = [plan.stages, ...(plan.deferred ?? []).map((part) => part.stages)].flat(2)
  const took = new Map(timings?.fetches.map((fetch) => [fetch.fetch, fetch]))
  return (
    <div className="drawing" data-testid="plan-drawing" data-fetches={fetches.length}>
      {plan.searchStopped && <p className="note">The search for a cheaper plan stopped at its bound.</p>}
      {fetches.length === 0 && (
        <p className="note">The router answers this by itself: no subgraph is asked.</p>
      )}
      {timings && <Waterfall timings={timings} />}
      <Stages
        stages={plan.stages}
        took={took}
        first={plan.operation === 'subscription' ? 'Each event' : undefined}
      />
      {plan.deferred?.map((part, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: parts have no name of their own and never move
        <section key={i} className="deferred">
          <h3>
            Deferred at <code>{part.path || 'the root'}</code>
            {part.label && <> “{part.label}”</>}
          </h3>
          <Stages stages={part.stages} took={took} first={undefined} />
        </section>
      ))}
    </div>
  )
}

function Stages(props: {
  stages: PlannedFetch[][]
  took: Map<number, FetchTiming>
  first: string | undefined
}) {
  return (
    <ol className="stages">
      {props.stages.map((fetches, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a stage is its place in the order
        <li key={i} data-testid="stage">
          <h3>
            {i === 0 && props.first ? props.first : `Stage ${i + 1}`}
            {fetches.length > 1 && <small> · {fetches.length} in parallel</small>}
          </h3>
          <div className="parallel">
            {fetches.map((fetch) => (
              <Fetch key={fetch.id} fetch={fetch} took={props.took.get(fetch.id)} />
            ))}
          </div>
        </li>
      ))}
    </ol>
  )
}

function Fetch({ fetch, took }: { fetch: PlannedFetch; took: FetchTiming | undefined }) {
  return (
    <article
      className="fetch"
      data-testid="fetch"
      data-subgraph={fetch.subgraph}
      style={{ borderLeftColor: colour(fetch.subgraph) }}
    >
      <header>
        <strong>{fetch.subgraph}</strong>
        {took && <span data-testid="fetch-time">{time(took.duration)}</span>}
      </header>
      {fetch.include && <p className="note">only if {fetch.include}</p>}
      {fetch.entities?.map((entity) => (
        <p key={entity.variable} className="entity">
          <code>{entity.paths?.join(', ') || 'the root'}</code>
          {Object.entries(entity.representations).map(([type, fields]) => (
            <span key={type}>
              {' '}
              {type}({fields.join(', ')})
            </span>
          ))}
        </p>
      ))}
      {took && <p className="note">{facts(took).join(' · ')}</p>}
      <details>
        <summary>Operation</summary>
        <pre>{pretty(fetch.query)}</pre>
      </details>
    </article>
  )
}

/** Where the time went: a bar for each request, on one scale. */
function Waterfall({ timings }: { timings: Timings }) {
  const of = (microseconds: number) => `${(100 * microseconds) / Math.max(timings.total, 1)}%`
  return (
    <figure className="waterfall" data-testid="timings" data-total={timings.total}>
      <figcaption>
        {time(timings.total)} altogether;{' '}
        {timings.planCached
          ? 'the plan was cached'
          : `parsed in ${time(timings.parse)}, validated in ${time(timings.validate)}, planned in ${time(timings.plan)}`}
        ; printed in {time(timings.print)}
      </figcaption>
      {timings.fetches.map((fetch) => (
        <div key={fetch.fetch} className="bar">
          <span>{fetch.subgraph}</span>
          <i>
            <b
              style={{ left: of(fetch.start), width: of(fetch.duration), background: colour(fetch.subgraph) }}
            />
          </i>
          <span>{time(fetch.duration)}</span>
        </div>
      ))}
    </figure>
  )
}

function facts(took: FetchTiming): string[] {
  const said = [
    took.failed ? 'failed' : `status ${took.status}`,
    `${took.sent} B out`,
    `${took.received} B in`,
  ]
  if (took.entities) said.push(`${took.entities} entities`)
  if (took.retries) said.push(`${took.retries} retries`)
  if (took.hedged) said.push('hedged')
  if (took.shared) said.push('shared')
  if (took.cached) said.push('cached')
  return said
}

function time(microseconds: number): string {
  if (microseconds < 1000) return `${microseconds} µs`
  if (microseconds < 1_000_000) return `${(microseconds / 1000).toFixed(1)} ms`
  return `${(microseconds / 1_000_000).toFixed(2)} s`
}

/** The same subgraph has the same colour everywhere. */
function colour(subgraph: string): string {
  let hash = 0
  for (const letter of subgraph) hash = (hash * 31 + letter.charCodeAt(0)) % 360
  return `hsl(${hash} 60% 50%)`
}

function pretty(query: string): string {
  try {
    return print(parse(query))
  } catch {
    return query
  }
}
