/** The API inside React: one hook for what is asked, one for what is ordered. */
import type { Refusal } from '@bourse/locale'
import type { AnyVariables, TypedDocumentNode } from '@urql/core'
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import type { Api } from './api.ts'
import type { Connection } from './connection.ts'
import { refusalOf } from './refusal.ts'

const ApiContext = createContext<Api | null>(null)

export function ApiProvider({ api, children }: { api: Api; children: ReactNode }) {
  return <ApiContext value={api}>{children}</ApiContext>
}

export function useApi(): Api {
  const api = useContext(ApiContext)
  if (!api) throw new Error('useApi outside of ApiProvider')
  return api
}

export function useConnection(): Connection {
  const { connection } = useApi()
  return useSyncExternalStore(connection.subscribe, connection.get)
}

export interface Answer<Data> {
  /** The last good answer to these variables; stays while it is asked again. */
  data: Data | undefined
  refusal: Refusal | undefined
  loading: boolean
  /** Asks again now. */
  reload(): void
}

interface Asked<Data> {
  key: string
  data?: Data
  refusal?: Refusal
}

export interface AnswerOptions {
  /** Asks again this many milliseconds after each answer, while the page is seen. */
  every?: number
  pause?: boolean
}

/** Asks a query when it is first shown, when its variables change, and as options say. */
export function useAnswer<Data, Variables extends AnyVariables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  { every, pause = false }: AnswerOptions = {},
): Answer<Data> {
  const { urql } = useApi()
  const key = JSON.stringify(variables ?? {})
  const [asked, setAsked] = useState<Asked<Data>>({ key })
  const [loading, setLoading] = useState(!pause)
  const [round, setRound] = useState(0)
  const current = useRef(variables)
  current.current = variables

  // biome-ignore lint/correctness/useExhaustiveDependencies: key stands for the variables, round for reload
  useEffect(() => {
    if (pause) return
    let stopped = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = async () => {
      if (every && window.document.hidden) {
        timer = setTimeout(ask, every)
        return
      }
      setLoading(true)
      const result = await urql
        .query(document, current.current, { requestPolicy: 'network-only' })
        .toPromise()
      if (stopped) return
      setAsked((before) => {
        const kept = before.key === key ? before.data : undefined
        const data = result.data ?? kept
        return {
          key,
          ...(data === undefined ? {} : { data }),
          ...(result.error ? { refusal: refusalOf(result.error) } : {}),
        }
      })
      setLoading(false)
      if (every) timer = setTimeout(ask, every)
    }
    void ask()
    return () => {
      stopped = true
      clearTimeout(timer)
    }
  }, [urql, document, key, every, pause, round])

  const reload = useCallback(() => setRound((n) => n + 1), [])
  const fits = asked.key === key
  return { data: fits ? asked.data : undefined, refusal: fits ? asked.refusal : undefined, loading, reload }
}

export type Outcome<Data> = { data: Data; refusal?: undefined } | { data?: undefined; refusal: Refusal }

/** Sends a mutation; `busy` until the answer. It never throws: a refusal is an outcome. */
export function useCommand<Data, Variables extends AnyVariables>(
  document: TypedDocumentNode<Data, Variables>,
): { run: (variables: Variables) => Promise<Outcome<Data>>; busy: boolean } {
  const { urql } = useApi()
  const [running, setRunning] = useState(0)
  const run = useCallback(
    async (variables: Variables): Promise<Outcome<Data>> => {
      setRunning((n) => n + 1)
      const result = await urql.mutation(document, variables).toPromise()
      setRunning((n) => n - 1)
      if (result.error || !result.data) return { refusal: refusalOf(result.error ?? new Error('no data')) }
      return { data: result.data }
    },
    [urql, document],
  )
  return { run, busy: running > 0 }
}
