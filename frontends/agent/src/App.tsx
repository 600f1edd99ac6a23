import { type Api, ApiProvider, useAnswer } from '@bourse/client'
import { ConsoleTheme, Frame } from '@bourse/console'
import { useTexts } from '@bourse/locale'
import { Base, match, useLocalPath } from '@bourse/microapp'
import { type Session, useSession } from '@bourse/session'
import { Button, Result } from 'antd'
import { Deposits } from './Deposits.tsx'
import { Downline } from './Downline.tsx'
import { AgentHomeDocument } from './gql/graphql.ts'
import { Invites } from './Invites.tsx'
import { MemberDetail } from './MemberDetail.tsx'
import { texts } from './texts.ts'

export function App(props: { api: Api; session: Session; base: string; leave: (path: string) => void }) {
  const session = useSession(props.session)
  return (
    <ConsoleTheme scope="agent">
      <ApiProvider api={props.api}>
        <Base value={props.base}>
          {session.status === 'signed-out' ? <SignInFirst leave={props.leave} /> : <Console />}
        </Base>
      </ApiProvider>
    </ConsoleTheme>
  )
}

function SignInFirst({ leave }: { leave: (path: string) => void }) {
  const text = useTexts(texts)
  return (
    <Result
      status="403"
      title={
        <Button type="primary" onClick={() => leave('/sign-in')}>
          {text.signIn}
        </Button>
      }
    />
  )
}

function Console() {
  const text = useTexts(texts)
  const { data } = useAnswer(AgentHomeDocument, {}, { every: 10_000 })
  const waiting = data?.agent.pendingDeposits.nodes.length ?? 0
  return (
    <Frame
      places={[
        { path: '/', label: text.members },
        { path: '/deposits', label: text.deposits, waiting },
        { path: '/invites', label: text.invites },
      ]}
    >
      <Screen />
    </Frame>
  )
}

function Screen() {
  const path = useLocalPath()
  const member = match('/member/:id', path)?.id
  if (member) return <MemberDetail id={member} />
  if (path === '/deposits') return <Deposits />
  if (path === '/invites') return <Invites />
  return <Downline />
}
