/**
 * What the order ticket works out before anything is sent: totals, fee, the most that the
 * balance allows, and what the exchange would refuse. The exchange decides; this only spares the
 * member a refusal that can be foreseen.
 */
import {
  add,
  compare,
  decimalsOf,
  divideDown,
  isMultiple,
  isPositive,
  multiply,
  roundDown,
  snap,
  subtract,
  typed,
} from '@bourse/decimal'
import type { MarketFactsFragment, OrderType, Side, TimeInForce } from '../gql/graphql.ts'
import type { Book } from '../state/depth.ts'

export interface Draft {
  side: Side
  type: OrderType
  timeInForce: TimeInForce
  /** As typed. */
  price: string
  quantity: string
}

export interface Means {
  /** Available of each asset. */
  base: string
  quote: string
}

export type Problem =
  | 'MARKET_HALTED'
  | 'INVALID_PRICE'
  | 'PRICE_OFF_TICK'
  | 'INVALID_QUANTITY'
  | 'QUANTITY_OFF_LOT'
  | 'BELOW_MIN_NOTIONAL'
  | 'INSUFFICIENT_BALANCE'
  | 'NO_LIQUIDITY'

export interface Assessment {
  problem: Problem | null
  /** Price x quantity, in quote; for a market order what the visible book would give. Null until both are known. */
  notional: string | null
  /** At most this, in quote: the taker's rate, rounded down as the exchange does. */
  fee: string | null
  /** What a buy costs or a sell brings, in quote. */
  total: string | null
  /** The largest quantity that the balance allows, in whole lots; null where no price is known. */
  most: string | null
  /** How far a limit price is from the last one, where that is far: a fraction such as 0.12. */
  deviation: string | null
}

/** A market order may walk this far from the best price; the exchange holds a buy at the far end. */
const protection = '0.05'
const farOff = '0.1'

export function assess(
  draft: Draft,
  market: MarketFactsFragment,
  means: Means | null,
  book: Book | null,
  last: string | null,
): Assessment {
  const quantity = typed(draft.quantity)
  const limit = draft.type === 'LIMIT' ? typed(draft.price) : null
  const price = draft.type === 'LIMIT' ? limit : worstPrice(draft.side, book)
  const scale = market.quote.scale

  const notional = !quantity
    ? null
    : draft.type === 'LIMIT'
      ? limit && roundDown(multiply(limit, quantity), scale)
      : walk(draft.side, book, quantity, scale)
  const fee = notional && roundDown(multiply(notional, market.takerFeeRate), scale)
  const total = notional && fee && (draft.side === 'BUY' ? add(notional, fee) : subtract(notional, fee))
  const most = means && mostOf(draft.side, price, market, means)

  return {
    problem: problemOf(draft, market, quantity, limit, notional, most, book),
    notional,
    fee,
    total,
    most,
    deviation: limit && last && isPositive(last) ? far(limit, last) : null,
  }
}

function problemOf(
  draft: Draft,
  market: MarketFactsFragment,
  quantity: string | null,
  limit: string | null,
  notional: string | null,
  most: string | null,
  book: Book | null,
): Problem | null {
  if (market.phase === 'HALTED') return 'MARKET_HALTED'
  if (draft.type === 'LIMIT') {
    if (!limit || !isPositive(limit)) return 'INVALID_PRICE'
    if (!isMultiple(limit, market.tickSize)) return 'PRICE_OFF_TICK'
  } else if (book && opposite(draft.side, book).length === 0) {
    return 'NO_LIQUIDITY'
  }
  if (!quantity || !isPositive(quantity)) return 'INVALID_QUANTITY'
  if (!isMultiple(quantity, market.lotSize)) return 'QUANTITY_OFF_LOT'
  if (draft.type === 'LIMIT' && notional && compare(notional, market.minNotional) < 0)
    return 'BELOW_MIN_NOTIONAL'
  if (most && compare(quantity, most) > 0) return 'INSUFFICIENT_BALANCE'
  return null
}

function opposite(side: Side, book: Book) {
  return side === 'BUY' ? book.asks : book.bids
}

function worstPrice(side: Side, book: Book | null): string | null {
  const best = book && opposite(side, book)[0]?.price
  if (!best) return null
  return side === 'BUY' ? multiply(best, add('1', protection)) : best
}

/** What the visible book would give for a quantity, in quote; what it cannot fill counts at its last price. */
function walk(side: Side, book: Book | null, quantity: string, scale: number): string | null {
  if (!book) return null
  let left = quantity
  let value = '0'
  let price: string | null = null
  for (const level of opposite(side, book)) {
    price = level.price
    const part = compare(left, level.quantity) < 0 ? left : level.quantity
    value = add(value, multiply(part, price))
    left = subtract(left, part)
    if (!isPositive(left)) break
  }
  if (!price) return null
  return roundDown(add(value, multiply(left, price)), scale)
}

function mostOf(side: Side, price: string | null, market: MarketFactsFragment, means: Means): string | null {
  if (side === 'SELL') return snap(means.base, market.lotSize)
  if (!price || !isPositive(price)) return null
  const cost = multiply(price, add('1', market.takerFeeRate))
  return snap(divideDown(means.quote, cost, decimalsOf(market.lotSize) + 2), market.lotSize)
}

/** Whole per cent of the most, in whole lots. */
export function portion(most: string, percent: number, lotSize: string): string {
  return snap(multiply(most, divideDown(String(percent), '100', 2)), lotSize)
}

/** How much of the most a quantity is, in whole per cent. */
export function portionOf(quantity: string, most: string | null): number {
  const value = typed(quantity)
  if (!value || !most || !isPositive(most)) return 0
  return Math.min(100, Number(divideDown(multiply(value, '100'), most, 0)))
}

function far(limit: string, last: string): string | null {
  const deviation = divideDown(subtract(limit, last), last, 4)
  return compare(deviation.replace('-', ''), farOff) >= 0 ? deviation : null
}
