import { compact, format, percent } from '@bourse/decimal'
import { useTexts } from '@bourse/locale'
import { useLinks } from '@bourse/microapp'
import { useState } from 'react'
import app from '../app.module.css'
import { Empty, Refused, Skeleton } from '../parts.tsx'
import { type Market, useMember, usePrice } from '../state/member.tsx'
import { texts } from '../texts.ts'
import { Flash } from './Flash.tsx'
import styles from './market.module.css'

export function MarketList() {
  const text = useTexts(texts)
  const { markets } = useMember()
  const [search, setSearch] = useState('')
  const all = markets.data?.markets
  const wanted = search.trim().toUpperCase()
  const shown = all?.filter(({ symbol }) => symbol.toUpperCase().includes(wanted))
  return (
    <section className={app.narrow}>
      <header className={app.heading}>
        <h1>{text.markets}</h1>
        <input
          type="search"
          className={styles.search}
          aria-label={text.search}
          placeholder={text.search}
          value={search}
          onChange={(e) => setSearch(e.target.value)}
        />
      </header>
      {markets.refusal && !all && <Refused refusal={markets.refusal} retry={markets.reload} />}
      <div className={app.card}>
        <div className={styles.listHead} aria-hidden="true">
          <span>{text.market}</span>
          <span>{text.lastPrice}</span>
          <span>{text.change}</span>
          <span className={styles.wideOnly}>{text.volume}</span>
        </div>
        {!shown && !markets.refusal && <Skeleton rows={5} height={64} />}
        {shown?.map((market) => (
          <Row key={market.symbol} market={market} />
        ))}
        {shown?.length === 0 && <Empty>{all?.length === 0 ? text.noMarketsYet : text.noMarkets}</Empty>}
      </div>
    </section>
  )
}

function Row({ market }: { market: Market }) {
  const text = useTexts(texts)
  const { link } = useLinks()
  const { last, change, direction } = usePrice(market)
  return (
    <a
      className={styles.row}
      data-testid={`market-row-${market.symbol}`}
      {...link(`/market/${market.symbol}`)}
    >
      <span className={styles.pair}>
        <b>{market.base.code}</b>
        <small>/{market.quote.code}</small>
        {market.phase === 'HALTED' && <em className={styles.halted}>{text.halted}</em>}
      </span>
      <Flash value={last} className={styles.figure}>
        {last ? format(last) : '—'}
      </Flash>
      <Change change={change} direction={direction} />
      <span className={`${styles.figure} ${styles.wideOnly}`}>
        {compact(market.ticker.quoteVolume)} {market.quote.code}
      </span>
    </a>
  )
}

/** A rise or fall by colour, arrow and sign. */
export function Change({ change, direction }: { change: string | null; direction: 'up' | 'down' | 'flat' }) {
  if (change === null) return <span className={styles.change}>—</span>
  return (
    <span className={styles.change} data-direction={direction}>
      {direction === 'up' ? '▲' : direction === 'down' ? '▼' : ''} {percent(change)}
    </span>
  )
}
