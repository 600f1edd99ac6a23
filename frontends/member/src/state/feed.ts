/** One market's book and tape, live for as long as a screen shows them. */
import { type Api, useApi } from '@bourse/client'
import { useEffect, useState } from 'react'
import { DepthUpdatesDocument, type TradeFactsFragment, TradeUpdatesDocument } from '../gql/graphql.ts'
import { applyDepth, type Book } from './depth.ts'
import { Store } from './store.ts'

export type Trade = TradeFactsFragment

const levels = 60
const remembered = 60

export class MarketFeed {
  readonly book = new Store<Book | null>(null, true)
  /** Newest first. */
  readonly trades = new Store<readonly Trade[] | null>(null, true)
  private readonly hearers = new Set<(trades: readonly Trade[]) => void>()

  constructor(
    private readonly api: Api,
    readonly symbol: string,
  ) {}

  start(): () => void {
    let stopDepth = this.followDepth(() => again())
    const again = () => {
      stopDepth()
      stopDepth = this.followDepth(again)
    }
    const stopTrades = this.api.live(
      TradeUpdatesDocument,
      { market: this.symbol },
      {
        next: ({ tradeUpdates: { snapshot, trades } }) => {
          const fresh = [...trades].reverse()
          this.trades.update((held) => [...fresh, ...(snapshot ? [] : (held ?? []))].slice(0, remembered))
          if (!snapshot) for (const hear of this.hearers) hear(trades)
        },
      },
    )
    return () => {
      stopDepth()
      stopTrades()
    }
  }

  /** Hears each batch of trades after the snapshot, in the order in which they happened. */
  onTrades(hear: (trades: readonly Trade[]) => void): () => void {
    this.hearers.add(hear)
    return () => this.hearers.delete(hear)
  }

  /** A missed change leaves the old book in sight until the new snapshot has come. */
  private followDepth(missed: () => void): () => void {
    return this.api.live(
      DepthUpdatesDocument,
      { market: this.symbol, levels },
      {
        next: ({ depthUpdates }) => {
          const next = applyDepth(this.book.get(), depthUpdates)
          if (next) this.book.set(next)
          else missed()
        },
      },
    )
  }
}

/** The caller gives each market its own key, so that a feed never changes its market. */
export function useMarketFeed(symbol: string): MarketFeed {
  const api = useApi()
  const [feed] = useState(() => new MarketFeed(api, symbol))
  useEffect(() => feed.start(), [feed])
  return feed
}
