import { compact, compare, format } from '@bourse/decimal'
import { useTexts } from '@bourse/locale'
import { useLinks } from '@bourse/microapp'
import { useCallback, useState } from 'react'
import app from '../app.module.css'
import { OrdersPanel } from '../orders/OrdersPanel.tsx'
import { Empty, Refused, Segments, Skeleton } from '../parts.tsx'
import { useMarketFeed } from '../state/feed.ts'
import { type Market, useMember, usePrice } from '../state/member.tsx'
import { texts } from '../texts.ts'
import { BookView } from './BookView.tsx'
import { Chart } from './Chart.tsx'
import { Flash } from './Flash.tsx'
import { Change } from './MarketList.tsx'
import styles from './market.module.css'
import { Tape } from './Tape.tsx'
import { Ticket } from './Ticket.tsx'

export function MarketScreen({ symbol }: { symbol: string }) {
  const text = useTexts(texts)
  const { link } = useLinks()
  const { markets } = useMember()
  const market = markets.data?.markets.find((m) => m.symbol === symbol)
  if (market) return <Trading market={market} />
  if (markets.data) {
    return (
      <Empty
        action={
          <a className={app.primary} {...link('/')}>
            {text.allMarkets}
          </a>
        }
      >
        {text.unknownMarket(symbol)}
      </Empty>
    )
  }
  if (markets.refusal) return <Refused refusal={markets.refusal} retry={markets.reload} />
  return <Skeleton rows={8} height={64} />
}

type View = 'chart' | 'book' | 'tape'

function Trading({ market }: { market: Market }) {
  const text = useTexts(texts)
  const feed = useMarketFeed(market.symbol)
  const [view, setView] = useState<View>('chart')
  const [picked, setPicked] = useState<{ price: string; turn: number }>({ price: '', turn: 0 })
  const pick = useCallback((price: string) => setPicked(({ turn }) => ({ price, turn: turn + 1 })), [])
  return (
    <div className={styles.trading} data-view={view}>
      <Header market={market} />
      {market.phase === 'HALTED' && (
        <p className={styles.haltNote} role="status">
          {text.haltedWhy}
        </p>
      )}
      <div className={styles.views}>
        <Segments
          label={text.market}
          value={view}
          onChange={setView}
          wide
          options={[
            { value: 'chart', label: text.chart, testId: 'view-chart' },
            { value: 'book', label: text.book, testId: 'view-book' },
            { value: 'tape', label: text.tape, testId: 'view-trades' },
          ]}
        />
      </div>
      <section className={`${app.card} ${styles.chartArea}`} aria-label={text.chart}>
        <Chart market={market} feed={feed} />
      </section>
      <section className={`${app.card} ${styles.bookArea}`} aria-label={text.book}>
        <BookView market={market} feed={feed} onPick={pick} />
      </section>
      <section className={`${app.card} ${styles.tapeArea}`} aria-label={text.tape}>
        <Tape market={market} feed={feed} onPick={pick} />
      </section>
      <section className={`${app.card} ${styles.ticketArea}`}>
        <Ticket market={market} feed={feed} picked={picked} />
      </section>
      <section className={`${app.card} ${styles.ordersArea}`}>
        <OrdersPanel market={market.symbol} />
      </section>
    </div>
  )
}

/** The higher (1) or the lower (-1) of two prices that may be missing. */
function outermost(a: string | null | undefined, b: string | null, side: 1 | -1): string | null {
  if (!a || !b) return a ?? b
  return compare(b, a) === side ? b : a
}

function Header({ market }: { market: Market }) {
  const text = useTexts(texts)
  const { link } = useLinks()
  const { last, change, direction } = usePrice(market)
  const { volume } = market.ticker
  // The last price is live and the ticker is asked for now and then: never show one beyond the other.
  const high = outermost(market.ticker.high, last, 1)
  const low = outermost(market.ticker.low, last, -1)
  return (
    <header className={styles.header}>
      <a className={styles.symbol} {...link('/')} title={text.allMarkets}>
        {market.base.code}
        <small>/{market.quote.code}</small>
        <span aria-hidden="true">▾</span>
      </a>
      <span className={styles.last} data-direction={direction}>
        <Flash value={last} testId="last-price">
          {last ? format(last) : '—'}
        </Flash>
        <Change change={change} direction={direction} />
      </span>
      <dl className={styles.stats}>
        <div>
          <dt>{text.high}</dt>
          <dd>{high ? format(high) : '—'}</dd>
        </div>
        <div>
          <dt>{text.low}</dt>
          <dd>{low ? format(low) : '—'}</dd>
        </div>
        <div>
          <dt>{text.volume}</dt>
          <dd>
            {compact(volume)} {market.base.code}
          </dd>
        </div>
      </dl>
    </header>
  )
}
