/** What the whole application watches: markets, and for someone signed in balances and orders. */
import { type Answer, type Api, useAnswer, useApi } from '@bourse/client'
import { divideDown, isZero, subtract } from '@bourse/decimal'
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import {
  type BalanceFactsFragment,
  BalanceUpdatesDocument,
  MarketsDocument,
  type MarketsQuery,
  OrderUpdatesDocument,
  TradeUpdatesDocument,
} from '../gql/graphql.ts'
import { applyOrders, byOrder, type Fill, noOrders, type Orders } from './orders.ts'
import { Store, useStore } from './store.ts'

export type Market = MarketsQuery['markets'][number]
export type Balance = BalanceFactsFragment
export type Balances = ReadonlyMap<string, Balance>

export interface Notice {
  id: number
  tone: 'good' | 'bad'
  text: string
}

/** The live state of one signed-in member, or of a visitor, as long as the application is mounted. */
export class MemberState {
  /** Null until the feed's first message. */
  readonly balances = new Store<Balances | null>(null)
  readonly orders = new Store<Orders>(noOrders)
  /** Newest price by market, ahead of the polled tickers. */
  readonly lastPrices = new Store<ReadonlyMap<string, string>>(new Map(), true)
  readonly notices = new Store<readonly Notice[]>([])
  /** Hears of the member's fills as they happen: those of one order in one moment together. */
  onFills: ((fills: readonly Fill[]) => void) | undefined
  private noticeCount = 0

  constructor(
    private readonly api: Api,
    readonly signedIn: boolean,
  ) {}

  start(): () => void {
    if (!this.signedIn) return () => {}
    const stops = [
      this.api.live(
        BalanceUpdatesDocument,
        {},
        {
          next: ({ balanceUpdates: { snapshot, balances } }) =>
            this.balances.update((held) => {
              const next = new Map(snapshot ? [] : held)
              for (const balance of balances) next.set(balance.asset.code, balance)
              return next
            }),
        },
      ),
      this.api.live(
        OrderUpdatesDocument,
        {},
        {
          next: ({ orderUpdates }) => {
            this.orders.update((orders) => applyOrders(orders, orderUpdates))
            if (!orderUpdates.snapshot) for (const fills of byOrder(orderUpdates.fills)) this.onFills?.(fills)
          },
        },
      ),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }

  followPrices(symbols: readonly string[]): () => void {
    const stops = symbols.map((market) =>
      this.api.live(
        TradeUpdatesDocument,
        { market },
        {
          next: ({ tradeUpdates }) => {
            const price = tradeUpdates.trades.at(-1)?.price
            if (price) this.lastPrices.update((prices) => new Map(prices).set(market, price))
          },
        },
      ),
    )
    return () => {
      for (const stop of stops) stop()
    }
  }

  notify(tone: Notice['tone'], text: string): void {
    const id = ++this.noticeCount
    this.notices.update((notices) => [...notices, { id, tone, text }].slice(-3))
    setTimeout(() => this.dismiss(id), 6000)
  }

  dismiss(id: number): void {
    this.notices.update((notices) => notices.filter((notice) => notice.id !== id))
  }
}

interface Watched {
  state: MemberState
  markets: Answer<MarketsQuery>
  leave: (path: string) => void
}

const Context = createContext<Watched | null>(null)

/** At most this many markets have their price followed live; the rest is polled. */
const followed = 12

export function MemberProvider(props: {
  signedIn: boolean
  leave: (path: string) => void
  children: ReactNode
}) {
  const api = useApi()
  const [state] = useState(() => new MemberState(api, props.signedIn))
  const markets = useAnswer(MarketsDocument, {}, { every: 5000 })
  useEffect(() => state.start(), [state])
  const symbols = (markets.data?.markets ?? [])
    .slice(0, followed)
    .map(({ symbol }) => symbol)
    .join(' ')
  useEffect(() => (symbols ? state.followPrices(symbols.split(' ')) : undefined), [state, symbols])
  return <Context value={{ state, markets, leave: props.leave }}>{props.children}</Context>
}

export function useMember(): Watched {
  const watched = useContext(Context)
  if (!watched) throw new Error('useMember outside of MemberProvider')
  return watched
}

export interface Price {
  last: string | null
  /** Since 24 hours ago, as a fraction. */
  change: string | null
  direction: 'up' | 'down' | 'flat'
}

export function usePrice(market: Market | undefined): Price {
  const { state } = useMember()
  const prices = useStore(state.lastPrices)
  if (!market) return { last: null, change: null, direction: 'flat' }
  const { open, change: polled } = market.ticker
  const last = prices.get(market.symbol) ?? market.ticker.last ?? null
  const change = last && open && !isZero(open) ? divideDown(subtract(last, open), open, 4) : (polled ?? null)
  const direction = !change || isZero(change) ? 'flat' : change.startsWith('-') ? 'down' : 'up'
  return { last, change, direction }
}
