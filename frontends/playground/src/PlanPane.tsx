/** The pane that shows how the router answers the operation in the editor. */
import { type GraphiQLPlugin, useGraphiQL } from '@graphiql/react'
import { useState } from 'react'
import { change, useExplain } from './explain.ts'
import { askPlan, nameWithin } from './fetcher.ts'
import { PlanView } from './PlanView.tsx'
import type { RouterConfig } from './router.ts'

export function planPlugin(config: RouterConfig): GraphiQLPlugin {
  return { title: 'Query plan', icon: PlanIcon, content: () => <PlanPane config={config} /> }
}

function PlanIcon() {
  return (
    <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <rect x="6" y="1.5" width="8" height="5" rx="1" />
      <rect x="1" y="13.5" width="7.5" height="5" rx="1" />
      <rect x="11.5" y="13.5" width="7.5" height="5" rx="1" />
      <path d="M10 6.5v3.5M4.75 13.5V10h10.5v3.5" />
    </svg>
  )
}

function PlanPane({ config }: { config: RouterConfig }) {
  const { secret, withRuns, last } = useExplain()
  const [asText, setAsText] = useState(false)
  const editors = useGraphiQL((state) => state)
  if (!config.explain) {
    return (
      <section className="plan" data-testid="plan">
        <h2>Query plan</h2>
        <p>
          The router explains its plans to nobody. Start it with <code>--explain</code>, or say who may see
          them in the section <code>explain</code> of its configuration.
        </p>
      </section>
    )
  }
  const show = () => {
    const query = editors.queryEditor?.getValue() ?? ''
    const operation = {
      query,
      ...nameWithin(query, editors.operationName),
      variables: parsed(editors.variableEditor?.getValue()),
    }
    void askPlan(
      config.endpoint,
      operation,
      parsed(editors.headerEditor?.getValue()) as Record<string, string>,
    )
  }
  return (
    <section className="plan" data-testid="plan">
      <header>
        <h2>Query plan</h2>
        <button type="button" className="primary" data-testid="show-plan" onClick={show}>
          Show
        </button>
      </header>
      <label>
        <input
          type="checkbox"
          data-testid="explain-runs"
          checked={withRuns}
          onChange={(event) => change({ withRuns: event.target.checked })}
        />{' '}
        Explain every run, with timings
      </label>
      <label>
        Secret{' '}
        <input
          type="password"
          autoComplete="off"
          data-testid="explain-secret"
          placeholder="or a token that may, in Headers"
          value={secret}
          onChange={(event) => change({ secret: event.target.value })}
        />
      </label>
      {last?.problem && (
        <p role="alert" className="problem" data-testid="plan-problem">
          {last.problem}
        </p>
      )}
      {last?.queryPlan && (
        <>
          <label>
            <input type="checkbox" checked={asText} onChange={(event) => setAsText(event.target.checked)} />{' '}
            As text
          </label>
          {asText ? (
            <pre data-testid="plan-text">{last.queryPlan.text}</pre>
          ) : (
            <PlanView plan={last.queryPlan} timings={last.timings} />
          )}
        </>
      )}
    </section>
  )
}

/** The editors' JSON; what is not finished being written counts as nothing. */
function parsed(text: string | undefined): object {
  try {
    const value: unknown = JSON.parse(text || '{}')
    return value && typeof value === 'object' ? value : {}
  } catch {
    return {}
  }
}
