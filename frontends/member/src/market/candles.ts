/**
 * The chart itself. Its library draws numbers, so this is the one place where prices become
 * floats: for pixels, never for money.
 */
import {
  CandlestickSeries,
  createChart,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  type UTCTimestamp,
} from 'lightweight-charts'
import type { CandleInterval, CandlesQuery } from '../gql/graphql.ts'
import type { Trade } from '../state/feed.ts'

type Candle = NonNullable<CandlesQuery['market']>['candles'][number]

interface Bar {
  time: UTCTimestamp
  open: number
  high: number
  low: number
  close: number
  volume: number
}

const seconds: Record<CandleInterval, number> = { M1: 60, M5: 300, M15: 900, H1: 3600, D1: 86_400 }

const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

export class CandleChart {
  private readonly chart: IChartApi
  private readonly prices: ISeriesApi<'Candlestick'>
  private readonly volumes: ISeriesApi<'Histogram'>
  private interval: CandleInterval = 'M1'
  private bars: Bar[] = []

  constructor(host: HTMLElement, tickSize: string, decimals: number) {
    this.chart = createChart(host, {
      autoSize: true,
      timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 4 },
      handleScale: { axisPressedMouseMove: true },
    })
    this.prices = this.chart.addSeries(CandlestickSeries, {
      priceFormat: { type: 'price', precision: decimals, minMove: Number(tickSize) },
    })
    this.volumes = this.chart.addSeries(HistogramSeries, {
      priceScaleId: '',
      priceFormat: { type: 'volume' },
      lastValueVisible: false,
      priceLineVisible: false,
    })
    this.prices.priceScale().applyOptions({ scaleMargins: { top: 0.08, bottom: 0.25 } })
    this.volumes.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } })
  }

  /** Takes colours and language from the page as it is now. */
  restyle(locale: string): void {
    const [up, down, line, text] = [token('--up'), token('--down'), token('--line'), token('--text-muted')]
    this.chart.applyOptions({
      layout: { background: { color: 'transparent' }, textColor: text, fontSize: 11 },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      rightPriceScale: { borderColor: line },
      timeScale: { borderColor: line },
      localization: { locale: locale === 'zh-Hans' ? 'zh-CN' : 'en-GB', timeFormatter: localTime },
    })
    this.chart.applyOptions({ timeScale: { tickMarkFormatter: (time: UTCTimestamp) => this.mark(time) } })
    this.prices.applyOptions({
      upColor: up,
      downColor: down,
      wickUpColor: up,
      wickDownColor: down,
      borderVisible: false,
    })
    this.draw()
  }

  /** Replaces what is drawn. The visible stretch stays when only newer candles came. */
  show(interval: CandleInterval, candles: readonly Candle[]): void {
    const first = this.bars.length === 0 || interval !== this.interval
    this.interval = interval
    this.bars = candles.map((candle) => ({
      time: (Date.parse(candle.openTime) / 1000) as UTCTimestamp,
      open: Number(candle.open),
      high: Number(candle.high),
      low: Number(candle.low),
      close: Number(candle.close),
      volume: Number(candle.volume),
    }))
    this.draw()
    if (first)
      this.chart.timeScale().setVisibleLogicalRange({ from: this.bars.length - 80, to: this.bars.length + 4 })
  }

  /** Lets trades grow the last candle, or begin the next. */
  add(trades: readonly Trade[]): void {
    const span = seconds[this.interval]
    for (const trade of trades) {
      const time = (Math.floor(Date.parse(trade.executedAt) / 1000 / span) * span) as UTCTimestamp
      const price = Number(trade.price)
      const last = this.bars.at(-1)
      if (last && time < last.time) continue
      let bar = last
      if (!bar || time > bar.time) {
        bar = { time, open: price, high: price, low: price, close: price, volume: 0 }
        this.bars.push(bar)
      }
      bar.high = Math.max(bar.high, price)
      bar.low = Math.min(bar.low, price)
      bar.close = price
      bar.volume += Number(trade.quantity)
      this.prices.update(bar)
      this.volumes.update(this.volumeOf(bar))
    }
  }

  close(): void {
    this.chart.remove()
  }

  private draw(): void {
    this.prices.setData(this.bars)
    this.volumes.setData(this.bars.map((bar) => this.volumeOf(bar)))
  }

  private volumeOf(bar: Bar) {
    return {
      time: bar.time,
      value: bar.volume,
      color: token(bar.close >= bar.open ? '--up-soft' : '--down-soft'),
    }
  }

  private mark(time: UTCTimestamp): string {
    const moment = new Date(time * 1000)
    const midnight = moment.getHours() === 0 && moment.getMinutes() === 0
    return this.interval === 'D1' || midnight ? `${moment.getMonth() + 1}/${moment.getDate()}` : clock(moment)
  }
}

const clock = (moment: Date) =>
  `${String(moment.getHours()).padStart(2, '0')}:${String(moment.getMinutes()).padStart(2, '0')}`

function localTime(time: unknown): string {
  const moment = new Date(Number(time) * 1000)
  return `${moment.getMonth() + 1}/${moment.getDate()} ${clock(moment)}`
}
