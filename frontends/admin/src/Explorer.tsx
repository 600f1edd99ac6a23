/**
 * The schema explorer. Everything it needs comes from this very site: the editor, its workers and
 * its fonts. It asks with the session's token, so it sees what the signed-in person may see.
 */
import 'graphiql/setup-workers/webpack'
import { useDark } from '@bourse/design'
import { endpoint } from '@bourse/microapp'
import type { Session } from '@bourse/session'
import { GraphiQL } from 'graphiql'
import 'graphiql/style.css'
import { type Client, createClient } from 'graphql-ws'
import { useEffect, useMemo } from 'react'
import styles from './admin.module.css'

type Fetcher = Parameters<typeof GraphiQL>[0]['fetcher']

const example = `# Ctrl-Enter runs the operation under the cursor.
query Markets {
  markets {
    symbol
    phase
    ticker {
      last
      change
    }
  }
}
`

export default function Explorer({ session }: { session: Session }) {
  const dark = useDark()
  const { fetcher, close } = useMemo(() => fetcherFor(session), [session])
  useEffect(() => close, [close])
  return (
    <div className={styles.explorer} data-testid="explorer">
      <GraphiQL fetcher={fetcher} defaultQuery={example} forcedTheme={dark ? 'dark' : 'light'} />
    </div>
  )
}

function fetcherFor(session: Session): { fetcher: Fetcher; close(): void } {
  const authorization = async () => {
    const token = await session.accessToken()
    return token ? { authorization: `Bearer ${token}` } : {}
  }
  let live: Client | undefined
  const liveClient = () => {
    live ??= createClient({
      url: new URL(endpoint, location.href).href.replace(/^http/, 'ws'),
      connectionParams: authorization,
    })
    return live
  }
  const fetcher: Fetcher = async (parameters, options) => {
    const { query, operationName, variables } = parameters
    const operation = options?.documentAST?.definitions.find(
      (definition) =>
        definition.kind === 'OperationDefinition' &&
        (!operationName || definition.name?.value === operationName),
    )
    if (operation?.kind === 'OperationDefinition' && operation.operation === 'subscription') {
      return liveClient().iterate({
        query,
        operationName: operationName ?? null,
        variables: variables as Record<string, unknown> | null,
      }) as unknown as Awaited<ReturnType<Fetcher>>
    }
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(await authorization()) },
      body: JSON.stringify({ query, operationName, variables }),
    })
    return response.json()
  }
  return { fetcher, close: () => void live?.dispose() }
}
