import { useConnection } from '@bourse/client'
import { compare, decimalsOf, format, multiply, subtract, trim } from '@bourse/decimal'
import { useTexts } from '@bourse/locale'
import { useId, useMemo, useState } from 'react'
import { depthOf, gather, ladder, type Rung } from '../state/depth.ts'
import type { MarketFeed } from '../state/feed.ts'
import { type Market, useMember } from '../state/member.tsx'
import { useStore } from '../state/store.ts'
import { texts } from '../texts.ts'
import styles from './market.module.css'

/** Rows of each side; their height is reserved before the book is here. */
const count = 11

export function BookView(props: { market: Market; feed: MarketFeed; onPick(price: string): void }) {
  const text = useTexts(texts)
  const { market, feed, onPick } = props
  const book = useStore(feed.book)
  const { state } = useMember()
  const { open } = useStore(state.orders)
  const stale = useConnection().state === 'lost'
  const [step, setStep] = useState(market.tickSize)
  const id = useId()

  const steps = useMemo(() => ['1', '10', '100'].map((n) => multiply(market.tickSize, n)), [market.tickSize])
  const bids = useMemo(() => gather(book?.bids ?? [], step, 'bids'), [book, step])
  const asks = useMemo(() => gather(book?.asks ?? [], step, 'asks'), [book, step])
  const bidDepth = depthOf(bids, count)
  const askDepth = depthOf(asks, count)
  const most = compare(bidDepth, askDepth) > 0 ? bidDepth : askDepth
  const mine = new Set(
    open.filter((o) => o.market.symbol === market.symbol).map((o) => `${o.side} ${trim(o.price ?? '')}`),
  )

  const bestBid = book?.bids[0]?.price
  const bestAsk = book?.asks[0]?.price
  const decimals = decimalsOf(step)
  const row = (rung: Rung, side: 'BUY' | 'SELL') => (
    <Row
      key={rung.price}
      rung={rung}
      side={side}
      decimals={decimals}
      mine={mine.has(`${side} ${trim(rung.price)}`)}
      onPick={onPick}
    />
  )
  return (
    <div className={styles.book} data-stale={stale || undefined} data-testid="book">
      <div className={styles.bookHead}>
        <span>
          {text.price} <small>{market.quote.code}</small>
        </span>
        <span>
          {text.quantity} <small>{market.base.code}</small>
        </span>
        <span>{text.total}</span>
      </div>
      <div className={styles.asks} data-testid="asks">
        {ladder(asks, count, most)
          .reverse()
          .map((rung) => row(rung, 'SELL'))}
      </div>
      <div className={styles.spread}>
        <span>
          {text.spread} {bestBid && bestAsk ? format(subtract(bestAsk, bestBid)) : '—'}
        </span>
        <label htmlFor={id}>{text.step}</label>
        <select id={id} value={step} onChange={(e) => setStep(e.target.value)}>
          {steps.map((s) => (
            <option key={s} value={s}>
              {format(trim(s))}
            </option>
          ))}
        </select>
      </div>
      <div className={styles.bids} data-testid="bids">
        {ladder(bids, count, most).map((rung) => row(rung, 'BUY'))}
      </div>
      {book && !bestBid && !bestAsk && <p className={styles.emptyBook}>{text.emptyBook}</p>}
    </div>
  )
}

function Row(props: {
  rung: Rung
  side: 'BUY' | 'SELL'
  decimals: number
  mine: boolean
  onPick(price: string): void
}) {
  const { rung, side, decimals, mine, onPick } = props
  return (
    <button
      type="button"
      className={styles.level}
      data-side={side}
      data-mine={mine || undefined}
      data-testid={side === 'BUY' ? 'bid' : 'ask'}
      onClick={() => onPick(rung.price)}
    >
      <i style={{ transform: `scaleX(${rung.share / 100})` }} />
      <b>{format(rung.price, decimals)}</b>
      <span>{format(rung.quantity)}</span>
      <span>{format(rung.total)}</span>
    </button>
  )
}
