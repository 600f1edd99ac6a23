import { format } from '@bourse/decimal'
import { usePreferences } from '@bourse/design'
import { timeOf, useTexts } from '@bourse/locale'
import { Empty } from '../parts.tsx'
import type { MarketFeed } from '../state/feed.ts'
import type { Market } from '../state/member.tsx'
import { useStore } from '../state/store.ts'
import { texts } from '../texts.ts'
import styles from './market.module.css'

/** The market's trades, newest first. */
export function Tape(props: { market: Market; feed: MarketFeed; onPick(price: string): void }) {
  const text = useTexts(texts)
  const { locale } = usePreferences()
  const { market, feed, onPick } = props
  const trades = useStore(feed.trades)
  return (
    <div className={styles.tape} data-testid="trades">
      <div className={styles.bookHead}>
        <span>
          {text.price} <small>{market.quote.code}</small>
        </span>
        <span>
          {text.quantity} <small>{market.base.code}</small>
        </span>
        <span>{text.time}</span>
      </div>
      <div className={styles.tapeRows}>
        {trades?.length === 0 && <Empty>{text.noTrades}</Empty>}
        {trades?.slice(0, 40).map((trade, i) => (
          <button
            key={trade.id}
            type="button"
            className={styles.print}
            data-side={trade.takerSide}
            data-testid={i === 0 ? 'last-trade' : 'trade'}
            data-price={trade.price}
            data-quantity={trade.quantity}
            onClick={() => onPick(trade.price)}
          >
            <b>
              {trade.takerSide === 'BUY' ? '↑' : '↓'} {format(trade.price)}
            </b>
            <span>{format(trade.quantity)}</span>
            <time dateTime={trade.executedAt}>{timeOf(trade.executedAt, locale)}</time>
          </button>
        ))}
      </div>
    </div>
  )
}
