/**
 * The member's open orders and newest fills. The live feed is the truth; the answer to a command
 * only fills the moment until the feed brings the same order.
 */
import { divideDown, multiply, sum } from '@bourse/decimal'
import type { FillFactsFragment, OrderFactsFragment, PlaceOrderInput } from '../gql/graphql.ts'

export type Order = OrderFactsFragment
export type Fill = FillFactsFragment

export interface Orders {
  /** False until the feed's first snapshot. */
  known: boolean
  sequence: string
  /** Open orders, newest first. */
  open: readonly Order[]
  /** Fills since this page was opened, newest first. */
  fills: readonly Fill[]
  /** Sent and not answered yet. */
  sending: readonly PlaceOrderInput[]
}

export const noOrders: Orders = { known: false, sequence: '0', open: [], fills: [], sending: [] }

export interface OrderChange {
  snapshot: boolean
  sequence: string
  orders: readonly Order[]
  fills: readonly Fill[]
}

const remembered = 200

export const isOpen = (order: Order): boolean =>
  order.status === 'OPEN' || order.status === 'PARTIALLY_FILLED'

export function applyOrders(orders: Orders, change: OrderChange): Orders {
  const byId = new Map(change.snapshot ? [] : orders.open.map((order) => [order.id, order]))
  for (const order of change.orders) {
    if (isOpen(order)) byId.set(order.id, order)
    else byId.delete(order.id)
  }
  const seen = new Set(orders.fills.map(fillKey))
  const fresh = change.fills.filter((fill) => !seen.has(fillKey(fill)))
  return {
    ...orders,
    known: true,
    sequence: change.sequence,
    open: [...byId.values()].sort(newestFirst),
    fills: fresh.length ? [...[...fresh].reverse(), ...orders.fills].slice(0, remembered) : orders.fills,
  }
}

/** Takes an order from a command's answer, unless the feed has gone past it. */
export function applyAnswer(orders: Orders, order: Order, sequence: string): Orders {
  if (BigInt(sequence) <= BigInt(orders.sequence)) return orders
  const others = orders.open.filter(({ id }) => id !== order.id)
  return { ...orders, open: isOpen(order) ? [...others, order].sort(newestFirst) : others }
}

/** A trade may have the member on both sides, never twice on one. */
export function fillKey(fill: Fill): string {
  return `${fill.trade.id} ${fill.order.id}`
}

/** Fills gathered by the order that they belong to. */
export function byOrder(fills: readonly Fill[]): Fill[][] {
  const gathered = new Map<string, Fill[]>()
  for (const fill of fills) gathered.set(fill.order.id, [...(gathered.get(fill.order.id) ?? []), fill])
  return [...gathered.values()]
}

/** What several fills of one order come to: the quantity, and the mean price cut to the decimals of the prices. */
export function together(fills: readonly Fill[]): { quantity: string; price: string } {
  const quantity = sum(fills.map((fill) => fill.quantity))
  const value = sum(fills.map((fill) => multiply(fill.price, fill.quantity)))
  const decimals = Math.max(...fills.map((fill) => (fill.price.split('.')[1] ?? '').length))
  return { quantity, price: divideDown(value, quantity, decimals) }
}

function newestFirst(a: Order, b: Order): number {
  return a.placedAt < b.placedAt ? 1 : a.placedAt > b.placedAt ? -1 : a.id < b.id ? 1 : -1
}
