import { useApi, useConnection } from '@bourse/client'
import { decimalsOf } from '@bourse/decimal'
import { useDark, usePreferences } from '@bourse/design'
import { useTexts } from '@bourse/locale'
import { useEffect, useRef, useState } from 'react'
import { type CandleInterval, CandlesDocument } from '../gql/graphql.ts'
import { Segments } from '../parts.tsx'
import type { MarketFeed } from '../state/feed.ts'
import type { Market } from '../state/member.tsx'
import { texts } from '../texts.ts'
import type { CandleChart } from './candles.ts'
import styles from './market.module.css'

const intervals: { value: CandleInterval; label: string }[] = [
  { value: 'M1', label: '1m' },
  { value: 'M5', label: '5m' },
  { value: 'M15', label: '15m' },
  { value: 'H1', label: '1h' },
  { value: 'D1', label: '1d' },
]

/** Candles, drawn by a library that is fetched when the first chart is shown. */
export function Chart({ market, feed }: { market: Market; feed: MarketFeed }) {
  const text = useTexts(texts)
  const { urql } = useApi()
  const dark = useDark()
  const { locale, redUp } = usePreferences()
  const connected = useConnection().state === 'open'
  const [interval, setInterval] = useState<CandleInterval>('M1')
  const host = useRef<HTMLDivElement>(null)
  const [chart, setChart] = useState<CandleChart>()
  const { symbol, tickSize } = market

  useEffect(() => {
    let gone = false
    let made: CandleChart | undefined
    void import('./candles.ts').then(({ CandleChart }) => {
      if (gone || !host.current) return
      made = new CandleChart(host.current, tickSize, decimalsOf(tickSize))
      setChart(made)
    })
    return () => {
      gone = true
      made?.close()
      setChart(undefined)
    }
  }, [tickSize])

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours and the language are read from the page
  useEffect(() => chart?.restyle(locale), [chart, dark, redUp, locale])

  // Whatever was missed while disconnected is fetched when the connection is back.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new connection asks again
  useEffect(() => {
    if (!chart) return
    let gone = false
    const load = async () => {
      const { data } = await urql.query(CandlesDocument, { symbol, interval, limit: 300 }).toPromise()
      if (!gone && data?.market) chart.show(interval, data.market.candles)
    }
    void load()
    const stop = feed.onTrades((trades) => chart.add(trades))
    return () => {
      gone = true
      stop()
    }
  }, [chart, urql, symbol, interval, feed, connected])

  return (
    <div className={styles.chart}>
      <Segments label={text.chart} value={interval} onChange={setInterval} options={intervals} />
      <div ref={host} className={styles.canvas} data-testid="chart" />
    </div>
  )
}
