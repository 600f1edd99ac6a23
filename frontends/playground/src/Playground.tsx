import { GraphiQL, HISTORY_PLUGIN } from 'graphiql'
import { useEffect, useMemo, useRef, useState } from 'react'
import { fetcherFor, type Transport } from './fetcher.ts'
import { planPlugin } from './PlanPane.tsx'
import type { RouterConfig } from './router.ts'

const welcome = `# Ctrl-Enter runs the operation under the cursor.
# The pane "Query plan" on the left shows how the router answers it.
{
  __typename
}
`

export function Playground({ config }: { config: RouterConfig }) {
  const [transport, setTransport] = useState<Transport>('websocket')
  const chosen = useRef(transport)
  chosen.current = transport
  const { fetcher, close } = useMemo(() => fetcherFor(config.endpoint, () => chosen.current), [config])
  useEffect(() => close, [close])
  const plugins = useMemo(() => [HISTORY_PLUGIN, planPlugin(config)], [config])
  return (
    <GraphiQL
      fetcher={fetcher}
      defaultQuery={welcome}
      plugins={plugins}
      defaultEditorToolsVisibility="variables"
    >
      <GraphiQL.Logo>
        <span className="logo">{location.host}</span>
      </GraphiQL.Logo>
      <GraphiQL.Footer>
        <label className="transport">
          Subscriptions over{' '}
          <select
            data-testid="transport"
            value={transport}
            onChange={(event) => setTransport(event.target.value as Transport)}
          >
            <option value="websocket">WebSocket</option>
            <option value="sse">server-sent events</option>
          </select>
        </label>
      </GraphiQL.Footer>
    </GraphiQL>
  )
}
