import { Client, fetchExchange, gql } from '@urql/core'
import { expect, it } from 'vitest'
import { ownWrites } from './ownWrites.ts'

const place = gql`mutation Place { placeOrder { sequence } }`
const orders = gql`query Orders { orders }`

/** A client, what it is answered next, and which sequence each of its requests insisted on. */
function talking() {
  const insisted: (string | null)[] = []
  let answer: unknown
  const client = new Client({
    url: 'http://exchange/graphql',
    exchanges: [ownWrites(), fetchExchange],
    requestPolicy: 'network-only',
    preferGetMethod: false,
    fetch: async (_input, init) => {
      insisted.push(new Headers(init?.headers).get('Bourse-Min-Sequence'))
      return Response.json(answer)
    },
  })
  const placed = (sequence: string) => {
    answer = { data: { placeOrder: { sequence } } }
    return client.mutation(place, {}).toPromise()
  }
  const asked = (code?: string) => {
    answer = code
      ? { data: null, errors: [{ message: code, extensions: { code } }] }
      : { data: { orders: [], market: { sequence: '999' } } }
    return client.query(orders, {}).toPromise()
  }
  return { insisted, placed, asked }
}

it('queries insist on what the latest command came to, and commands on nothing', async () => {
  const { insisted, placed, asked } = talking()
  await asked()
  await placed('9007199254740993')
  await asked()
  await placed('12')
  await asked()
  expect(insisted).toEqual([null, null, '9007199254740993', null, '9007199254740993'])
})

it('what is not reached in time is not insisted on again', async () => {
  const { insisted, placed, asked } = talking()
  await placed('7')
  await asked('SEQUENCE_NOT_REACHED')
  await asked()
  await placed('8')
  await asked()
  expect(insisted).toEqual([null, '7', null, null, '8'])
})
