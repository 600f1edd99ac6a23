import { type Api, ApiProvider } from '@bourse/client'
import { ConsoleTheme, Frame } from '@bourse/console'
import { useTexts } from '@bourse/locale'
import { Base, useLocalPath } from '@bourse/microapp'
import { type Session, useSession } from '@bourse/session'
import { Button, Result, Spin } from 'antd'
import { lazy, Suspense } from 'react'
import { Agents } from './Agents.tsx'
import { Audit } from './Audit.tsx'
import { Health } from './Health.tsx'
import { Markets } from './Markets.tsx'
import { Members } from './Members.tsx'
import { texts } from './texts.ts'

// An editor of its own size: fetched only by those who open it.
const Explorer = lazy(() => import('./Explorer.tsx'))

export function App(props: { api: Api; session: Session; base: string; leave: (path: string) => void }) {
  const text = useTexts(texts)
  const session = useSession(props.session)
  return (
    <ConsoleTheme scope="admin">
      <ApiProvider api={props.api}>
        <Base value={props.base}>
          {session.status === 'signed-out' ? (
            <Result
              status="403"
              title={
                <Button type="primary" onClick={() => props.leave('/sign-in')}>
                  {text.signIn}
                </Button>
              }
            />
          ) : (
            <Frame
              places={[
                { path: '/', label: text.health },
                { path: '/markets', label: text.markets },
                { path: '/members', label: text.members },
                { path: '/agents', label: text.agents },
                { path: '/audit', label: text.audit },
                { path: '/api', label: text.api },
              ]}
            >
              <Suspense fallback={<Spin description={text.loading} />}>
                <Screen session={props.session} />
              </Suspense>
            </Frame>
          )}
        </Base>
      </ApiProvider>
    </ConsoleTheme>
  )
}

function Screen({ session }: { session: Session }) {
  const path = useLocalPath()
  switch (path) {
    case '/markets':
      return <Markets />
    case '/members':
      return <Members />
    case '/agents':
      return <Agents />
    case '/audit':
      return <Audit />
    case '/api':
      return <Explorer session={session} />
    default:
      return <Health />
  }
}
