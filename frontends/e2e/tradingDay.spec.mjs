// A day in the house, through the pages alone: an admin opens a market, a member deposits, the
// agent approves, two members trade. What happens to one shows on the other's screen without a
// reload.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { House } from './house.mjs'

let house
let admin
let agent
let seller
let buyer
// A market of its own, so that no simulated trader comes between the two.
const asset = `T${Date.now().toString(36).toUpperCase().slice(-7)}`
const symbol = `${asset}-USDT`

before(async () => {
  house = await House.enter()
  const [first, second] = house.people('MEMBER')
  admin = await house.person(house.people('ADMIN')[0])
  agent = await house.person(house.people('AGENT')[0])
  seller = await house.person(first, { size: 'phone' })
  buyer = await house.person(second, { theme: 'dark', locale: 'zh-Hans' })
})

after(async () => {
  await house?.leave()
})

test('an admin opens a market', async () => {
  await admin.at('nav-markets').click()
  await admin.at('new-asset').click()
  await admin.at('asset-code').fill(asset)
  await admin.at('create-asset').click()
  await admin.at('asset-code').waitFor({ state: 'detached' })
  await admin.at('new-market').click()
  for (const [field, code] of [
    ['market-base', asset],
    ['market-quote', 'USDT'],
  ]) {
    await admin.at(field).click()
    await admin.page.keyboard.type(code)
    await admin.page.keyboard.press('Enter')
  }
  await admin.look('admin-new-market')
  await admin.at('create-market').click()
  await admin.sees(`market-${symbol}`, 'phase', 'CONTINUOUS')
  await admin.look('admin-markets')
})

test("a deposit that the agent approves shows on the member's screen", async () => {
  await seller.at('tab-wallet').click()
  await seller.at('deposit-asset').selectOption(asset)
  await seller.at('deposit-amount').fill('10')
  await seller.at('deposit-submit').click()
  await seller.sees('deposit', 'status', 'PENDING')

  await agent.at('nav-deposits').click()
  const row = agent.page.locator(`[data-testid="deposit-row"][data-username="${seller.username}"]`, {
    hasText: asset,
  })
  await row.getByTestId('approve-deposit').click()
  await agent.look('agent-deposits')

  await seller.page
    .locator(`[data-testid="balance-${asset}-available"]`, { hasText: /^10(\.0+)?$/ })
    .waitFor()
  await seller.page.locator('[data-testid="deposit"][data-status="APPROVED"]', { hasText: asset }).waitFor()
  await seller.look('member-wallet')
})

async function order(person, side, price, quantity) {
  await person.at(side === 'BUY' ? 'ticket-buy' : 'ticket-sell').click()
  await person.at('ticket-price').fill(price)
  await person.at('ticket-quantity').fill(quantity)
  await person.at('place-order').click()
}

test('two members trade and both see it live', async () => {
  await seller.go(`/member/market/${symbol}`)
  await buyer.go(`/member/market/${symbol}`)
  await order(seller, 'SELL', '25.00', '2')
  const resting = seller.at('open-order')
  await resting.waitFor()
  await buyer.at('ask').first().waitFor()
  await buyer.at('ask').first().click()
  assert.equal(await buyer.at('ticket-price').inputValue(), '25.00')

  await order(buyer, 'BUY', '25.00', '0.5')
  await seller.page.locator('[data-testid="open-order"][data-status="PARTIALLY_FILLED"]').waitFor()
  assert.match(await resting.getByTestId('filled').textContent(), /^0\.50*$/)
  for (const person of [seller, buyer]) {
    if (person === seller) await person.at('view-trades').click()
    await person.at('last-trade').waitFor()
    assert.match((await person.at('last-trade').getAttribute('data-price')) ?? '', /^25(\.0+)?$/)
    await person.at('orders-fills').click()
    await person.at('fill').first().waitFor()
  }
  await buyer.look('member-market-desk')
  await seller.look('member-market-phone')
})

test('a cancelled rest comes back to the balance', async () => {
  await seller.at('orders-open').click()
  await seller.at('cancel-order').click()
  await seller.at('open-order').waitFor({ state: 'detached' })
  await seller.at('tab-wallet').click()
  await seller.page.locator(`[data-testid="balance-${asset}-available"]`, { hasText: /^9\.50*$/ }).waitFor()
  await seller.page.locator(`[data-testid="balance-${asset}-held"]`, { hasText: /^0(\.0+)?$/ }).waitFor()
})

test('a halted market refuses orders in words, and says so at once', async () => {
  await admin.at(`market-${symbol}`).getByTestId('halt').click()
  await admin.at('reason').fill('Browser test')
  await admin.at('confirm-word').fill(symbol)
  await admin.at('confirm').click()
  await admin.sees(`market-${symbol}`, 'phase', 'HALTED')
  await order(buyer, 'BUY', '20.00', '1')
  await buyer.sees('error', 'code', 'MARKET_HALTED')
  await buyer.look('member-market-halted')
})

test('the schema explorer answers without another host', async () => {
  await admin.at('nav-api').click()
  const editor = admin.page.locator('.graphiql-query-editor .view-line', { hasText: 'query' })
  await editor.first().waitFor({ timeout: 60_000 })
  await admin.page.locator('.graphiql-execute-button').click()
  // The editor draws only the lines in sight.
  await admin.page.locator('.result-window', { hasText: '"symbol"' }).waitFor({ timeout: 30_000 })
  await admin.look('admin-explorer')
})

test('nothing went wrong on the way', () => {
  assert.deepEqual(house.complaints, [])
})
