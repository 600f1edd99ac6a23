import { clientKey, useAnswer, useApi, useCommand } from '@bourse/client'
import { format, share } from '@bourse/decimal'
import { usePreferences } from '@bourse/design'
import { momentOf, type Refusal, useTexts } from '@bourse/locale'
import { useLinks } from '@bourse/microapp'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import app from '../app.module.css'
import {
  CancelAllOrdersDocument,
  CancelOrderDocument,
  FillsDocument,
  OrdersDocument,
  type PlaceOrderInput,
} from '../gql/graphql.ts'
import { Empty, Refused, Segments, SignInFirst, Skeleton } from '../parts.tsx'
import { useMember } from '../state/member.tsx'
import { applyAnswer, type Fill, fillKey, isOpen, type Order } from '../state/orders.ts'
import { useStore } from '../state/store.ts'
import { texts } from '../texts.ts'
import styles from './orders.module.css'

type View = 'open' | 'history' | 'fills'

/** The member's orders and fills, of one market or of all. */
export function OrdersPanel({ market }: { market?: string }) {
  const text = useTexts(texts)
  const { state } = useMember()
  const orders = useStore(state.orders)
  const [view, setView] = useState<View>('open')
  if (!state.signedIn) return <SignInFirst />
  const fits = (symbol: string) => !market || symbol === market
  const open = orders.open.filter((order) => fits(order.market.symbol))
  const sending = orders.sending.filter((input) => fits(input.market))
  return (
    <div className={styles.panel}>
      <div className={styles.head}>
        <Segments
          label={text.orders}
          value={view}
          onChange={setView}
          options={[
            { value: 'open', label: `${text.openOrders} ${open.length || ''}`, testId: 'orders-open' },
            { value: 'history', label: text.history, testId: 'orders-history' },
            { value: 'fills', label: text.fills, testId: 'orders-fills' },
          ]}
        />
        {view === 'open' && open.length > 1 && <CancelAll market={market} count={open.length} />}
      </div>
      {view === 'open' && <Open known={orders.known} open={open} sending={sending} />}
      {view === 'history' && <History market={market} />}
      {view === 'fills' && <Fills market={market} />}
    </div>
  )
}

function Open(props: { known: boolean; open: readonly Order[]; sending: readonly PlaceOrderInput[] }) {
  const text = useTexts(texts)
  const { link } = useLinks()
  if (!props.known) return <Skeleton rows={2} height={72} />
  if (props.open.length === 0 && props.sending.length === 0) {
    return (
      <Empty
        action={
          <a className={app.quiet} {...link('/')}>
            {text.goTrade}
          </a>
        }
      >
        {text.noOpenOrders}
      </Empty>
    )
  }
  return (
    <ul className={styles.list} data-testid="open-orders">
      {props.sending.map((input) => (
        <li key={input.clientKey} className={styles.order} data-sending data-testid="pending-order">
          <Side side={input.side} />
          <b>{input.market}</b>
          <span className={styles.progress}>{text.sending}</span>
        </li>
      ))}
      {props.open.map((order) => (
        <OrderRow key={order.id} order={order} />
      ))}
    </ul>
  )
}

function OrderRow({ order }: { order: Order }) {
  const text = useTexts(texts)
  const { locale } = usePreferences()
  return (
    <li
      className={styles.order}
      data-testid={isOpen(order) ? 'open-order' : 'past-order'}
      data-order-id={order.id}
      data-status={order.status}
    >
      <div className={styles.what}>
        <Side side={order.side} />
        <b>{order.market.symbol}</b>
        <small>
          {order.type === 'MARKET' ? text.marketOrder : text.limit}
          {order.timeInForce === 'IOC' && order.type === 'LIMIT' ? ' · IOC' : ''}
        </small>
      </div>
      <dl className={styles.figures}>
        <Figure name={text.price}>{order.price ? format(order.price) : text.marketPrice}</Figure>
        <Figure name={`${text.filled} / ${text.quantity}`}>
          <span data-testid="filled">{format(order.filledQuantity)}</span> / {format(order.quantity)}
        </Figure>
        {order.averagePrice && <Figure name={text.average}>{format(order.averagePrice)}</Figure>}
        <Figure name={text.time}>
          <time dateTime={order.placedAt}>{momentOf(order.placedAt, locale)}</time>
        </Figure>
      </dl>
      <div className={styles.end}>
        <span className={styles.status} data-status={order.status}>
          {text[`status${order.status}`]}
          {order.cancelReason && <small>{text[`reason${order.cancelReason}`]}</small>}
        </span>
        {isOpen(order) && <CancelButton order={order} />}
      </div>
      <progress
        className={styles.bar}
        max={100}
        value={share(order.filledQuantity, order.quantity)}
        aria-label={text.filled}
      />
    </li>
  )
}

function CancelButton({ order }: { order: Order }) {
  const text = useTexts(texts)
  const { state } = useMember()
  const { run, busy } = useCommand(CancelOrderDocument)
  const [key] = useState(clientKey)
  const [refusal, setRefusal] = useState<Refusal>()
  const cancel = async () => {
    setRefusal(undefined)
    const outcome = await run({ input: { clientKey: key, orderId: order.id } })
    if (outcome.refusal) return setRefusal(outcome.refusal)
    const { order: after, sequence } = outcome.data.cancelOrder
    state.orders.update((orders) => applyAnswer(orders, after, sequence))
  }
  return (
    <>
      <button type="button" className={app.quiet} data-testid="cancel-order" disabled={busy} onClick={cancel}>
        {text.cancel}
      </button>
      {refusal && <Refused refusal={refusal} />}
    </>
  )
}

function CancelAll({ market, count }: { market: string | undefined; count: number }) {
  const text = useTexts(texts)
  const { state } = useMember()
  const { run, busy } = useCommand(CancelAllOrdersDocument)
  const [asking, setAsking] = useState(false)
  const [refusal, setRefusal] = useState<Refusal>()
  const cancel = async () => {
    const outcome = await run({ input: { clientKey: clientKey(), ...(market ? { market } : {}) } })
    if (outcome.refusal) return setRefusal(outcome.refusal)
    setAsking(false)
    state.notify('good', text.cancelled(String(outcome.data.cancelAllOrders.cancelled)))
  }
  if (!asking) {
    return (
      <button type="button" className={app.quiet} data-testid="cancel-all" onClick={() => setAsking(true)}>
        {text.cancelAll}
      </button>
    )
  }
  return (
    <div className={styles.sure} role="alertdialog" aria-label={text.cancelAll}>
      <span>{text.cancelAllSure(String(count))}</span>
      <button
        type="button"
        className={app.danger}
        data-testid="cancel-all-confirm"
        disabled={busy}
        onClick={cancel}
      >
        {text.yesCancel}
      </button>
      <button type="button" className={app.quiet} onClick={() => setAsking(false)}>
        {text.keep}
      </button>
      {refusal && <Refused refusal={refusal} />}
    </div>
  )
}

/** Pages that were asked for by hand; the first one is asked again when something happened. */
function usePages<Node>(
  first: { nodes: readonly Node[]; pageInfo: PageEnd } | undefined,
  next: (after: string) => Promise<{ nodes: readonly Node[]; pageInfo: PageEnd } | undefined>,
) {
  const [rest, setRest] = useState<{ nodes: readonly Node[]; pageInfo: PageEnd }>()
  const end = rest?.pageInfo ?? first?.pageInfo
  const more =
    end?.hasNextPage && end.endCursor
      ? async () => {
          const page = await next(end.endCursor ?? '')
          if (page)
            setRest((held) => ({ nodes: [...(held?.nodes ?? []), ...page.nodes], pageInfo: page.pageInfo }))
        }
      : undefined
  return { nodes: first ? [...first.nodes, ...(rest?.nodes ?? [])] : undefined, more }
}

interface PageEnd {
  hasNextPage: boolean
  endCursor?: string | null | undefined
}

/** Asks again, soon, when the feed brings something new. */
function useReloadOn(signal: unknown, reload: () => void): void {
  const first = useRef(true)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the signal is what to wait for
  useEffect(() => {
    if (first.current) {
      first.current = false
      return
    }
    const timer = setTimeout(reload, 400)
    return () => clearTimeout(timer)
  }, [signal, reload])
}

function History({ market }: { market: string | undefined }) {
  const text = useTexts(texts)
  const { urql } = useApi()
  const { state } = useMember()
  const variables = market ? { market } : {}
  const answer = useAnswer(OrdersDocument, variables)
  useReloadOn(useStore(state.orders).open, answer.reload)
  const { nodes, more } = usePages(answer.data?.me.orders, async (after) => {
    const { data } = await urql.query(OrdersDocument, { ...variables, after }).toPromise()
    return data?.me.orders
  })
  const past = unique(nodes, (order) => order.id)?.filter((order) => !isOpen(order))
  if (answer.refusal && !past) return <Refused refusal={answer.refusal} retry={answer.reload} />
  if (!past) return <Skeleton rows={3} height={72} />
  if (past.length === 0 && !more) return <Empty>{text.noOrders}</Empty>
  return (
    <>
      <ul className={styles.list} data-testid="order-history">
        {past.map((order) => (
          <OrderRow key={order.id} order={order} />
        ))}
      </ul>
      {more && <More onPress={more} />}
    </>
  )
}

function Fills({ market }: { market: string | undefined }) {
  const text = useTexts(texts)
  const { urql } = useApi()
  const { state } = useMember()
  const live = useStore(state.orders).fills
  const variables = market ? { market } : {}
  const answer = useAnswer(FillsDocument, variables)
  const { nodes, more } = usePages(answer.data?.me.fills, async (after) => {
    const { data } = await urql.query(FillsDocument, { ...variables, after }).toPromise()
    return data?.me.fills
  })
  const fresh = live.filter((fill) => !market || fill.trade.market.symbol === market)
  const fills = nodes && unique([...fresh, ...nodes], fillKey)
  if (answer.refusal && !fills) return <Refused refusal={answer.refusal} retry={answer.reload} />
  if (!fills) return <Skeleton rows={3} height={56} />
  if (fills.length === 0) return <Empty>{text.noFills}</Empty>
  return (
    <>
      <ul className={styles.list} data-testid="fills">
        {fills.map((fill) => (
          <FillRow key={fillKey(fill)} fill={fill} />
        ))}
      </ul>
      {more && <More onPress={more} />}
    </>
  )
}

function FillRow({ fill }: { fill: Fill }) {
  const text = useTexts(texts)
  const { locale } = usePreferences()
  const { markets } = useMember()
  const quote =
    markets.data?.markets.find(({ symbol }) => symbol === fill.trade.market.symbol)?.quote.code ?? ''
  return (
    <li className={styles.order} data-testid="fill" data-trade-id={fill.trade.id}>
      <div className={styles.what}>
        <Side side={fill.side} />
        <b>{fill.trade.market.symbol}</b>
        <small>{fill.liquidity === 'MAKER' ? text.maker : text.taker}</small>
      </div>
      <dl className={styles.figures}>
        <Figure name={text.price}>{format(fill.price)}</Figure>
        <Figure name={text.quantity}>{format(fill.quantity)}</Figure>
        <Figure name={text.fee.split(/[,，]|上限/)[0] ?? ''}>
          {format(fill.fee)} {quote}
        </Figure>
        <Figure name={text.time}>
          <time dateTime={fill.executedAt}>{momentOf(fill.executedAt, locale)}</time>
        </Figure>
      </dl>
    </li>
  )
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Side({ side }: { side: 'BUY' | 'SELL' }) {
  const text = useTexts(texts)
  return (
    <span className={styles.side} data-side={side}>
      {side === 'BUY' ? text.buy : text.sell}
    </span>
  )
}

function More({ onPress }: { onPress: () => Promise<void> }) {
  const text = useTexts(texts)
  const [busy, setBusy] = useState(false)
  const press = async () => {
    setBusy(true)
    await onPress()
    setBusy(false)
  }
  return (
    <button type="button" className={app.quiet} disabled={busy} onClick={press}>
      {busy ? text.loading : text.more}
    </button>
  )
}

function unique<T>(items: readonly T[] | undefined, key: (item: T) => string): T[] | undefined {
  return items && [...new Map(items.map((item) => [key(item), item])).values()]
}
