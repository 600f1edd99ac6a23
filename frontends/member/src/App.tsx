import { type Api, ApiProvider, useConnection } from '@bourse/client'
import { format } from '@bourse/decimal'
import { useTexts } from '@bourse/locale'
import { Base, match, useLinks, useLocalPath } from '@bourse/microapp'
import { type Session, useSession } from '@bourse/session'
import { type ReactNode, useEffect, useState } from 'react'
import styles from './app.module.css'
import { MarketList } from './market/MarketList.tsx'
import { MarketScreen } from './market/MarketScreen.tsx'
import { OrdersScreen } from './orders/OrdersScreen.tsx'
import { MemberProvider, useMember } from './state/member.tsx'
import { together } from './state/orders.ts'
import { useStore } from './state/store.ts'
import { texts } from './texts.ts'
import { WalletScreen } from './wallet/WalletScreen.tsx'

export function App(props: { api: Api; session: Session; base: string; leave: (path: string) => void }) {
  const session = useSession(props.session)
  const person = session.status === 'signed-in' ? session.username : ''
  return (
    <ApiProvider api={props.api}>
      <Base value={props.base}>
        <MemberProvider key={person} signedIn={person !== ''} leave={props.leave}>
          <div className={styles.app}>
            <Interrupted />
            <Tabs />
            <div className={styles.screen}>
              <Screen />
            </div>
            <Notices />
          </div>
        </MemberProvider>
      </Base>
    </ApiProvider>
  )
}

function Screen() {
  const path = useLocalPath()
  const market = match('/market/:symbol', path)?.symbol
  useEffect(() => {
    if (market) lastVisited.set(market)
  }, [market])
  if (market) return <MarketScreen key={market} symbol={market} />
  if (path === '/orders') return <OrdersScreen />
  if (path === '/wallet') return <WalletScreen />
  return <MarketList />
}

/** The market that the trade tab leads back to. */
const lastVisited = {
  key: 'bourse.market',
  get: () => sessionStorage.getItem(lastVisited.key),
  set: (symbol: string) => sessionStorage.setItem(lastVisited.key, symbol),
}

function Tabs() {
  const text = useTexts(texts)
  const path = useLocalPath()
  const { link } = useLinks()
  const { markets } = useMember()
  const symbol =
    match('/market/:symbol', path)?.symbol ?? lastVisited.get() ?? markets.data?.markets[0]?.symbol
  const tabs: [string, string, string, boolean, ReactNode][] = [
    ['markets', '/', text.markets, path === '/', <path key="m" d="M4 19V11M10 19V5M16 19v-6M22 19V8" />],
    [
      'trade',
      symbol ? `/market/${symbol}` : '/',
      text.trade,
      path.startsWith('/market/'),
      <path key="t" d="M4 8h14l-4-4M22 17H8l4 4" />,
    ],
    [
      'orders',
      '/orders',
      text.orders,
      path === '/orders',
      <path key="o" d="M6 4h14v17H6zM10 9h6M10 13h6M10 17h3" />,
    ],
    [
      'wallet',
      '/wallet',
      text.wallet,
      path === '/wallet',
      <path key="w" d="M4 7h17v13H4zM4 7l13-3v3M16 13.5h2" />,
    ],
  ]
  return (
    <nav className={styles.tabs}>
      {tabs.map(([name, to, label, here, icon]) => (
        <a
          key={name}
          {...link(to)}
          data-testid={`tab-${name}`}
          aria-current={here ? 'page' : undefined}
          className={styles.tab}
        >
          <svg viewBox="0 0 26 26" width="24" height="24" aria-hidden="true">
            <g
              fill="none"
              stroke="currentColor"
              strokeWidth="1.8"
              strokeLinecap="round"
              strokeLinejoin="round"
            >
              {icon}
            </g>
          </svg>
          {label}
        </a>
      ))}
    </nav>
  )
}

/** Says so when live data stopped, with its age; a blink of the network passes unseen. */
function Interrupted() {
  const text = useTexts(texts)
  const { state, since } = useConnection()
  const [now, setNow] = useState(Date.now)
  const lost = state === 'lost'
  useEffect(() => {
    if (!lost) return
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [lost])
  const seconds = Math.max(0, Math.floor((now - since) / 1000))
  if (!lost || seconds < 1) return null
  return (
    <p className={styles.interrupted} role="status" data-testid="reconnecting">
      {text.stale(String(seconds))}
    </p>
  )
}

function Notices() {
  const text = useTexts(texts)
  const { state, markets } = useMember()
  const notices = useStore(state.notices)
  useEffect(() => {
    state.onFills = (fills) => {
      const fill = fills[0]
      if (!fill) return
      const base =
        markets.data?.markets.find(({ symbol }) => symbol === fill.trade.market.symbol)?.base.code ?? ''
      const side = fill.side === 'BUY' ? text.buy : text.sell
      const { quantity, price } = together(fills)
      state.notify('good', text.gotFill(`${side} ${format(quantity)} ${base} @ ${format(price)}`))
    }
    return () => {
      state.onFills = undefined
    }
  }, [state, markets.data, text])
  return (
    <div className={styles.notices} aria-live="polite">
      {notices.map((notice) => (
        <p key={notice.id} className={styles.notice} data-tone={notice.tone} data-testid="notice">
          {notice.text}
          <button type="button" aria-label={text.close} onClick={() => state.dismiss(notice.id)}>
            ×
          </button>
        </p>
      ))}
    </div>
  )
}
