// The router's playground, in a real browser before a real router: operations run, plans are shown, and nothing is asked of
// anyone else.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { chromium } from 'playwright-core'
import { Router } from './router.mjs'

const shots = process.env.E2E_SHOTS ?? join(import.meta.dirname, 'shots')
const sizes = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } }

let router
let browser
const complaints = []

before(async () => {
  mkdirSync(shots, { recursive: true })
  router = await Router.open('--explain')
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: !process.env.E2E_HEADED,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
})

after(async () => {
  await browser?.close()
  await router?.close()
})

/** The playground with an operation in its editor. */
async function open(query, { size = 'desk', colorScheme = 'light', address = router.playground } = {}) {
  const context = await browser.newContext({
    viewport: sizes[size],
    hasTouch: size === 'phone',
    isMobile: size === 'phone',
    colorScheme,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (/^(http|ws)/.test(url.protocol) && url.host !== new URL(address).host)
      complaints.push(`asked ${url.host}`)
  })
  await page.goto(address)
  await page.locator('.graphiql-query-editor .view-line').first().waitFor()
  if (query) await write(page, query)
  return page
}

async function write(page, query) {
  await page.locator('.graphiql-query-editor .view-lines').click()
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.insertText(query)
  await page
    .locator('.graphiql-query-editor .view-line', { hasText: query.split(/[({]/)[0].trim() })
    .waitFor()
}

const run = (page) => page.locator('.graphiql-execute-button').click()
const answered = (page, text) => page.locator('.result-window', { hasText: text }).waitFor()
const showPane = (page) => page.getByRole('button', { name: /query plan/i }).click()
const look = (page, name) => page.screenshot({ path: join(shots, `${name}.png`) })

test('an operation runs, and its plan is drawn with timings', async () => {
  const page = await open('query Stars { products { name stars } }')
  assert.equal(new URL(page.url()).hash, '', 'the secret stays in the address')
  await showPane(page)
  await run(page)
  await answered(page, '"stars"')
  const drawing = page.getByTestId('plan-drawing')
  await drawing.waitFor()
  assert.equal(await drawing.getAttribute('data-fetches'), '2')
  assert.equal(await page.getByTestId('stage').count(), 2)
  assert.deepEqual(
    await page.getByTestId('fetch').evaluateAll((fetches) => fetches.map((fetch) => fetch.dataset.subgraph)),
    ['products', 'reviews'],
  )
  assert.equal(await page.getByTestId('fetch-time').count(), 2)
  assert.ok(Number(await page.getByTestId('timings').getAttribute('data-total')) > 0)
  assert.doesNotMatch(
    await page.locator('.result-window').textContent(),
    /queryPlan/,
    'the plan is in the answer too',
  )
  await look(page, 'playground-desk')
  await page.context().close()
})

test('a mutation and a subscription are explained without being run', async () => {
  const page = await open('mutation Rename { rename(id: 1, name: "stool") { name stars } }', {
    colorScheme: 'dark',
  })
  await showPane(page)
  await page.getByTestId('show-plan').click()
  await page.locator('[data-testid="plan-drawing"][data-fetches="2"]').waitFor()
  await write(page, 'subscription Sold { sold { name stars } }')
  await page.getByTestId('show-plan').click()
  await page.getByText('Each event').waitFor()
  assert.equal(await page.getByTestId('timings').count(), 0)
  await look(page, 'playground-dark')
  await page.context().close()
})

for (const transport of ['websocket', 'sse']) {
  test(`a subscription's events arrive over ${transport}`, async () => {
    const page = await open('subscription Sold { sold { id stars } }')
    await page.getByTestId('transport').selectOption(transport)
    await run(page)
    await answered(page, '"2"')
    await page.context().close()
  })
}

test('the documentation shows the schema', async () => {
  const page = await open('')
  await page.getByRole('button', { name: /documentation explorer/i }).click()
  await page.locator('.graphiql-doc-explorer', { hasText: 'Query' }).waitFor()
  await page.context().close()
})

test('a phone shows editor, answer and plan one below the other', async () => {
  const page = await open('query Stars { products { name stars } }', { size: 'phone' })
  await look(page, 'playground-phone')
  await run(page)
  await answered(page, '"stars"')
  await look(page, 'playground-phone-answer')
  await showPane(page)
  await page.getByTestId('plan-drawing').waitFor()
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
  assert.equal(wide, false, 'the page is wider than the phone')
  await look(page, 'playground-phone-plan')
  await page.context().close()
})

test('without the secret no plan is shown, and the pane says why', async () => {
  const page = await open('{ products { name } }', { address: router.playground.split('#')[0] })
  await showPane(page)
  await page.getByTestId('show-plan').click()
  await page.getByTestId('plan-problem').waitFor()
  assert.equal(await page.getByTestId('plan-drawing').count(), 0)
  await page.context().close()
  // The browser itself notes the refusal.
  const refused = complaints.findIndex((complaint) => complaint.includes('403'))
  assert.notEqual(refused, -1)
  complaints.splice(refused, 1)
})

test('nothing went wrong on the way', () => {
  assert.deepEqual(complaints, [])
})
