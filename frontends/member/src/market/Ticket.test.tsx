import { type Api, ApiProvider, ConnectionWatch } from '@bourse/client'
import { setPreferences } from '@bourse/design'
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { PlaceOrderInput } from '../gql/graphql.ts'
import type { MarketFeed } from '../state/feed.ts'
import { type Market, MemberProvider } from '../state/member.tsx'
import { Store } from '../state/store.ts'
import { Ticket } from './Ticket.tsx'

const market: Market = {
  symbol: 'BTC-USDT',
  phase: 'CONTINUOUS',
  tickSize: '0.05',
  lotSize: '0.001',
  minNotional: '10',
  makerFeeRate: '0.001',
  takerFeeRate: '0.002',
  base: { code: 'BTC', scale: 8 },
  quote: { code: 'USDT', scale: 2 },
  ticker: {
    last: '100',
    open: '99',
    high: '101',
    low: '98',
    volume: '1',
    quoteVolume: '100',
    change: '0.01',
  },
}

const book = {
  sequence: '1',
  bids: [{ price: '99', quantity: '1' }],
  asks: [{ price: '100', quantity: '1' }],
}
const feed = { book: new Store(book), trades: new Store([]) } as unknown as MarketFeed

type Reply = { data?: unknown; error?: unknown }

/** An API that answers orders when the test says so, and everything else at once. */
function apiInHand() {
  const sent: { input: PlaceOrderInput; reply: (reply: Reply) => Promise<void> }[] = []
  const api = {
    connection: new ConnectionWatch(),
    close: () => {},
    live: (
      document: { definitions: { name?: { value: string } }[] },
      _: unknown,
      sink: { next(data: unknown): void },
    ) => {
      if (document.definitions[0]?.name?.value === 'BalanceUpdates') {
        const balance = (code: string) => ({
          asset: { code, scale: 8 },
          available: '1000',
          held: '0',
          total: '1000',
        })
        const balances = [balance('BTC'), balance('USDT')]
        queueMicrotask(() =>
          act(() => sink.next({ balanceUpdates: { snapshot: true, sequence: '1', balances } })),
        )
      }
      return () => {}
    },
    urql: {
      query: () => ({ toPromise: async () => ({ data: { markets: [market] } }) }),
      mutation: (_: unknown, { input }: { input: PlaceOrderInput }) => ({
        toPromise: () =>
          new Promise((resolve) => {
            sent.push({ input, reply: (reply) => act(async () => resolve(reply)) })
          }),
      }),
    },
  }
  return { api: api as unknown as Api, sent }
}

const refused = (code: string): Reply => ({
  error: { message: code, graphQLErrors: [{ message: code, extensions: { code } }] },
})
const accepted: Reply = {
  data: {
    placeOrder: {
      sequence: '5',
      order: {
        id: '1',
        market: { symbol: 'BTC-USDT' },
        side: 'BUY',
        quantity: '1',
        price: '100',
        status: 'OPEN',
        placedAt: '',
      },
    },
  },
}

async function open() {
  const { api, sent } = apiInHand()
  const leave = vi.fn()
  await act(async () => {
    render(
      <ApiProvider api={api}>
        <MemberProvider signedIn leave={leave}>
          <Ticket market={market} feed={feed} picked={{ price: '', turn: 0 }} />
        </MemberProvider>
      </ApiProvider>,
    )
  })
  return { sent, leave }
}

const type = (testId: string, value: string) =>
  fireEvent.change(screen.getByTestId(testId), { target: { value } })
const press = async () => act(async () => void fireEvent.submit(screen.getByTestId('ticket')))
const typedIn = (testId: string) => screen.getByTestId<HTMLInputElement>(testId).value

beforeEach(() => setPreferences({ locale: 'en' }))
afterEach(cleanup)

describe('the order ticket', () => {
  it('begins at the best price and refuses digits beyond tick and lot while typing', async () => {
    await open()
    expect(typedIn('ticket-price')).toBe('100')
    type('ticket-price', '100.055')
    expect(typedIn('ticket-price')).toBe('100')
    type('ticket-quantity', '0.5')
    type('ticket-quantity', '0.5x')
    expect(typedIn('ticket-quantity')).toBe('0.5')
    expect(screen.getByTestId('ticket-total').textContent).toBe('50.10 USDT')
  })

  it('makes one order of a double tap', async () => {
    const { sent } = await open()
    type('ticket-quantity', '1')
    await press()
    await press()
    expect(sent.length).toBe(1)
    expect(sent[0]?.input).toMatchObject({
      market: 'BTC-USDT',
      side: 'BUY',
      type: 'LIMIT',
      price: '100',
      quantity: '1',
    })
    expect(screen.getByTestId<HTMLButtonElement>('place-order').disabled).toBe(true)
    await sent[0]?.reply(accepted)
    expect(typedIn('ticket-quantity')).toBe('')
  })

  it('sends a lost order again under its key, and a new one under another', async () => {
    const { sent } = await open()
    type('ticket-quantity', '1')
    await press()
    await sent[0]?.reply({ error: { message: 'lost', networkError: new Error('lost') } })
    expect(screen.getByTestId('error').dataset.code).toBe('NETWORK')
    await press()
    expect(sent[1]?.input.clientKey).toBe(sent[0]?.input.clientKey)
    await sent[1]?.reply(accepted)
    type('ticket-quantity', '1')
    await press()
    expect(sent[2]?.input.clientKey).not.toBe(sent[0]?.input.clientKey)
  })

  it('says in words why the exchange refused', async () => {
    const { sent } = await open()
    type('ticket-quantity', '1')
    await press()
    await sent[0]?.reply(refused('NO_LIQUIDITY'))
    expect(screen.getByTestId('error').textContent).toContain('nothing to trade with')
  })

  it('does not send what would be refused', async () => {
    const { sent } = await open()
    type('ticket-quantity', '0.05')
    await press()
    expect(sent.length).toBe(0)
    expect(screen.getByTestId('error').dataset.code).toBe('BELOW_MIN_NOTIONAL')
  })
})
