import { clientKey, useCommand, useConnection } from '@bourse/client'
import {
  accepts,
  compare,
  decimalsOf,
  format,
  isPositive,
  isZero,
  percent,
  stepBy,
  tidy,
  typed,
} from '@bourse/decimal'
import { type Refusal, useTexts } from '@bourse/locale'
import { type FormEvent, useEffect, useId, useRef, useState } from 'react'
import { PlaceOrderDocument, type PlaceOrderInput } from '../gql/graphql.ts'
import { Private, Refused, Segments } from '../parts.tsx'
import type { MarketFeed } from '../state/feed.ts'
import { Intent } from '../state/intent.ts'
import { type Market, useMember } from '../state/member.tsx'
import { applyAnswer, type Order } from '../state/orders.ts'
import { useStore } from '../state/store.ts'
import { texts } from '../texts.ts'
import styles from './ticket.module.css'
import { assess, type Draft, type Problem, portion, portionOf } from './ticketRules.ts'

interface Props {
  market: Market
  feed: MarketFeed
  /** A price taken from book or tape; each turn fills the ticket once. */
  picked: { price: string; turn: number }
}

export function Ticket({ market, feed, picked }: Props) {
  const text = useTexts(texts)
  const { state, leave } = useMember()
  const book = useStore(feed.book)
  const trades = useStore(feed.trades)
  const balances = useStore(state.balances)
  const stale = useConnection().state === 'lost'
  const [draft, setDraft] = useState<Draft>({
    side: 'BUY',
    type: 'LIMIT',
    timeInForce: 'GTC',
    price: '',
    quantity: '',
  })
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }))
  const { submit, busy, refusal, forget } = useSubmit(market, draft, () => change({ quantity: '' }))
  const [tried, setTried] = useState(false)

  useEffect(() => {
    if (picked.turn > 0) setDraft((before) => ({ ...before, type: 'LIMIT', price: picked.price }))
  }, [picked])
  // An untouched ticket begins at the best price of the other side.
  const touched = useRef(false)
  const bestAsk = book?.asks[0]?.price ?? book?.bids[0]?.price
  useEffect(() => {
    if (bestAsk && !touched.current && draft.price === '')
      setDraft((before) => ({ ...before, price: bestAsk }))
  }, [bestAsk, draft.price])

  const last = trades?.[0]?.price ?? market.ticker.last ?? null
  const zero = { available: '0', held: '0' }
  const base = balances?.get(market.base.code) ?? zero
  const quote = balances?.get(market.quote.code) ?? zero
  const means = state.signedIn && balances ? { base: base.available, quote: quote.available } : null
  const verdict = assess(draft, market, means, book, last)
  const buying = draft.side === 'BUY'
  const sideName = buying ? text.buy : text.sell

  const send = (e: FormEvent) => {
    e.preventDefault()
    if (!state.signedIn) return leave('/sign-in')
    setTried(true)
    if (!verdict.problem) void submit().then((done) => done && setTried(false))
  }
  const shown: Refusal | undefined =
    refusal ?? (tried && verdict.problem ? refusalFor(verdict.problem, market) : undefined)
  const edit = (part: Partial<Draft>) => {
    touched.current = true
    forget()
    change(part)
  }

  return (
    <form className={styles.ticket} onSubmit={send} data-side={draft.side} data-testid="ticket">
      <div className={styles.sides} role="tablist" aria-label={text.side}>
        {(['BUY', 'SELL'] as const).map((side) => (
          <button
            key={side}
            type="button"
            role="tab"
            aria-selected={draft.side === side}
            data-side={side}
            data-testid={side === 'BUY' ? 'ticket-buy' : 'ticket-sell'}
            onClick={() => edit({ side })}
          >
            {side === 'BUY' ? text.buy : text.sell}
          </button>
        ))}
      </div>
      <div className={styles.kinds}>
        <Segments
          label={text.orderType}
          value={draft.type}
          onChange={(type) => edit({ type })}
          options={[
            { value: 'LIMIT', label: text.limit, testId: 'ticket-limit' },
            { value: 'MARKET', label: text.marketOrder, testId: 'ticket-market' },
          ]}
        />
        {draft.type === 'LIMIT' && (
          <select
            className={styles.force}
            aria-label={text.timeInForce}
            data-testid="ticket-time-in-force"
            value={draft.timeInForce}
            onChange={(e) => edit({ timeInForce: e.target.value === 'IOC' ? 'IOC' : 'GTC' })}
          >
            <option value="GTC">{text.gtc}</option>
            <option value="IOC">{text.ioc}</option>
          </select>
        )}
      </div>
      {draft.type === 'LIMIT' ? (
        <Stepped
          label={text.price}
          unit={market.quote.code}
          step={market.tickSize}
          value={draft.price}
          testId="ticket-price"
          onChange={(price) => edit({ price })}
        />
      ) : (
        <div className={styles.fixed}>
          <span>{text.price}</span>
          <b>{text.marketPrice}</b>
        </div>
      )}
      <Stepped
        label={text.quantity}
        unit={market.base.code}
        step={market.lotSize}
        value={draft.quantity}
        testId="ticket-quantity"
        onChange={(quantity) => edit({ quantity })}
      />
      <Portions
        most={verdict.most}
        quantity={draft.quantity}
        lotSize={market.lotSize}
        onChange={(quantity) => edit({ quantity })}
      />
      <dl className={styles.sums}>
        {state.signedIn && (
          <>
            <dt>{text.available}</dt>
            <dd data-testid="ticket-available">
              <Private>
                {buying
                  ? `${tidy(quote.available)} ${market.quote.code}`
                  : `${tidy(base.available)} ${market.base.code}`}
              </Private>
            </dd>
            <dt>{text.most(sideName)}</dt>
            <dd>
              <Private>{verdict.most ? `${format(verdict.most)} ${market.base.code}` : '—'}</Private>
            </dd>
          </>
        )}
        <dt>{text.fee}</dt>
        <dd>{verdict.fee ? `${tidy(verdict.fee)} ${market.quote.code}` : '—'}</dd>
        <dt className={styles.total}>{buying ? text.orderTotal : text.orderProceeds}</dt>
        <dd className={styles.total} data-testid="ticket-total">
          {verdict.total ? `${tidy(verdict.total)} ${market.quote.code}` : '—'}
        </dd>
      </dl>
      {draft.type === 'MARKET' && verdict.total && <p className={styles.note}>{text.estimated}</p>}
      {verdict.deviation && <p className={styles.warning}>{text.deviation(percent(verdict.deviation))}</p>}
      {stale && <p className={styles.warning}>{text.staleTicket}</p>}
      {shown && <Refused refusal={shown} />}
      {refusal?.code === 'NETWORK' && <p className={styles.note}>{text.unsure}</p>}
      <button className={styles.place} type="submit" data-testid="place-order" disabled={busy}>
        {!state.signedIn ? text.signInToTrade : busy ? text.sending : text.place(sideName, market.base.code)}
      </button>
    </form>
  )
}

/** Sends the draft once, however often the button is pressed, under one key until it is answered. */
function useSubmit(market: Market, draft: Draft, done: () => void) {
  const text = useTexts(texts)
  const { state } = useMember()
  const { run } = useCommand(PlaceOrderDocument)
  const [busy, setBusy] = useState(false)
  const [refusal, setRefusal] = useState<Refusal>()
  const [intent] = useState(() => new Intent(clientKey))
  const locked = useRef(false)

  const submit = async (): Promise<boolean> => {
    if (locked.current) return false
    locked.current = true
    setBusy(true)
    setRefusal(undefined)
    const content = inputOf(market, draft)
    const input: PlaceOrderInput = { ...content, clientKey: intent.keyFor(content) }
    state.orders.update((orders) => ({ ...orders, sending: [...orders.sending, input] }))
    const outcome = await run({ input })
    state.orders.update((orders) => ({ ...orders, sending: orders.sending.filter((sent) => sent !== input) }))
    if (outcome.refusal) {
      setRefusal(outcome.refusal)
      // No answer, or not stored: the same key makes sure that a second press is no second order.
      if (!['NETWORK', 'UNAVAILABLE', 'OUTCOME_UNKNOWN'].includes(outcome.refusal.code)) intent.answered()
    } else {
      intent.answered()
      const { order, sequence } = outcome.data.placeOrder
      state.orders.update((orders) => applyAnswer(orders, order, sequence))
      tell(order)
      done()
    }
    locked.current = false
    setBusy(false)
    return !outcome.refusal
  }

  const tell = (order: Order) => {
    const side = order.side === 'BUY' ? text.buy : text.sell
    const words = `${side} ${format(order.quantity)} ${market.base.code}${order.price ? ` @ ${format(order.price)}` : ''}`
    if (order.status === 'CANCELLED' && isZero(order.filledQuantity))
      state.notify('bad', text.endedNow(words))
    else state.notify('good', order.status === 'FILLED' ? text.filledNow(words) : text.placed(words))
  }

  return { submit, busy, refusal, forget: () => setRefusal(undefined) }
}

function inputOf(market: Market, draft: Draft): Omit<PlaceOrderInput, 'clientKey'> {
  const common = {
    market: market.symbol,
    side: draft.side,
    type: draft.type,
    quantity: typed(draft.quantity) ?? '',
  }
  if (draft.type === 'MARKET') return common
  return { ...common, timeInForce: draft.timeInForce, price: typed(draft.price) ?? '' }
}

/** A foreseen problem in the words of the exchange's own refusal. */
function refusalFor(code: Problem, market: Market): Refusal {
  const details: Partial<Record<Problem, Record<string, string>>> = {
    PRICE_OFF_TICK: { tickSize: market.tickSize },
    QUANTITY_OFF_LOT: { lotSize: market.lotSize },
    BELOW_MIN_NOTIONAL: { minNotional: `${market.minNotional} ${market.quote.code}` },
  }
  const known = details[code]
  return { code, message: code, ...(known ? { details: known } : {}) }
}

function Stepped(props: {
  label: string
  unit: string
  step: string
  value: string
  testId: string
  onChange(value: string): void
}) {
  const text = useTexts(texts)
  const id = useId()
  const { label, step, value, onChange } = props
  const decimals = decimalsOf(step)
  return (
    <div className={styles.stepped}>
      <button
        type="button"
        aria-label={text.decrease(label)}
        onClick={() => onChange(stepBy(value, step, -1))}
      >
        −
      </button>
      <div>
        <label htmlFor={id}>
          {label} <small>{props.unit}</small>
        </label>
        <input
          id={id}
          data-testid={props.testId}
          inputMode="decimal"
          autoComplete="off"
          placeholder={stepBy('', step, 1)}
          value={value}
          onChange={(e) => accepts(e.target.value, decimals) && onChange(e.target.value)}
          onKeyDown={(e) => {
            if (e.key !== 'ArrowUp' && e.key !== 'ArrowDown') return
            e.preventDefault()
            onChange(stepBy(value, step, e.key === 'ArrowUp' ? 1 : -1))
          }}
        />
      </div>
      <button
        type="button"
        aria-label={text.increase(label)}
        onClick={() => onChange(stepBy(value, step, 1))}
      >
        +
      </button>
    </div>
  )
}

function Portions(props: {
  most: string | null
  quantity: string
  lotSize: string
  onChange(quantity: string): void
}) {
  const text = useTexts(texts)
  const { most, quantity, lotSize, onChange } = props
  const usable = most !== null && isPositive(most)
  const pick = (percent: number) => {
    if (!usable) return
    const value = portion(most, percent, lotSize)
    onChange(compare(value, '0') === 0 ? '' : value)
  }
  return (
    <div className={styles.portions}>
      <input
        type="range"
        min={0}
        max={100}
        step={1}
        aria-label={text.shareOfBalance}
        data-testid="ticket-slider"
        disabled={!usable}
        value={portionOf(quantity, most)}
        onChange={(e) => pick(Number(e.target.value))}
      />
      <div>
        {[25, 50, 75, 100].map((percent) => (
          <button key={percent} type="button" disabled={!usable} onClick={() => pick(percent)}>
            {percent}%
          </button>
        ))}
      </div>
    </div>
  )
}
