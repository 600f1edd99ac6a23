// What a browser test needs: a browser, people signed in, and pictures of what they saw.
//
//   BASE_URL      where the house answers, such as http://127.0.0.1:8080; it must be a demonstration
//                 (its sign-ins come from /demo.json) unless E2E_SIGN_INS holds the same JSON
//   CHROMIUM      path of the browser, /usr/bin/chromium if absent
//   E2E_SHOTS     folder for pictures, e2e/shots if absent
//   E2E_HEADED    anything: shows the browser
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const base = (process.env.BASE_URL ?? 'http://127.0.0.1:8080').replace(/\/$/, '')
const shots = process.env.E2E_SHOTS ?? join(import.meta.dirname, 'shots')

const sizes = { desk: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } }

export class House {
  /** What pages complained of: a test ends with none. */
  complaints = []

  static async enter() {
    const house = new House()
    house.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      headless: !process.env.E2E_HEADED,
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    })
    house.demo = JSON.parse(process.env.E2E_SIGN_INS ?? (await (await fetch(`${base}/demo.json`)).text()))
    mkdirSync(shots, { recursive: true })
    return house
  }

  /** The sign-ins of a role, in the house's order. */
  people(role) {
    return this.demo.signIns.filter((signIn) => signIn.role.toUpperCase() === role)
  }

  /** Someone in a browser of their own, signed in through the page. */
  async person({ username, password }, { size = 'desk', locale = 'en', theme = 'light' } = {}) {
    const context = await this.browser.newContext({
      viewport: sizes[size],
      hasTouch: size === 'phone',
      isMobile: size === 'phone',
    })
    const preferences = JSON.stringify({ locale, theme })
    await context.addInitScript((kept) => localStorage.setItem('bourse.preferences', kept), preferences)
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    page.on('pageerror', (error) => this.complaints.push(`${username}: ${error.message}`))
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(`${username}: ${message.text()}`)
    })
    page.on('request', (request) => {
      const url = new URL(request.url())
      if (/^(http|ws)/.test(url.protocol) && url.host !== new URL(base).host) {
        this.complaints.push(`${username}: asked another host, ${url.host}`)
      }
    })
    await page.goto(`${base}/sign-in`)
    await page.getByTestId('username').fill(username)
    await page.getByTestId('password').fill(password)
    await page.getByTestId('sign-in').click()
    await page.getByTestId('signed-in-as').waitFor()
    return new Person(page, username)
  }

  async leave() {
    await this.browser.close()
  }
}

export class Person {
  constructor(page, username) {
    this.page = page
    this.username = username
  }

  /** Something on the page by its data-testid. */
  at(testId) {
    return this.page.getByTestId(testId)
  }

  /** Goes to an address with the links' own means, without a reload. */
  async go(path) {
    await this.page.evaluate((to) => {
      history.pushState(null, '', to)
      dispatchEvent(new PopStateEvent('popstate'))
    }, path)
  }

  async look(name) {
    await this.page.screenshot({ path: join(shots, `${name}.png`) })
  }

  /** Waits until what is at testId carries the attribute value: data-* hold exact texts. */
  async sees(testId, attribute, value) {
    await this.page.locator(`[data-testid="${testId}"][data-${attribute}="${value}"]`).first().waitFor()
  }
}
