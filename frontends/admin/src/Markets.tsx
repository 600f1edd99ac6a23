import { clientKey, useAnswer, useCommand } from '@bourse/client'
import { Moment, PageHead, ReasonDialog, RefusalNote, useSay } from '@bourse/console'
import { compact, format, multiply, trim } from '@bourse/decimal'
import { useTexts } from '@bourse/locale'
import { Button, Drawer, Empty, Space, Table, Tag, Timeline } from 'antd'
import { useState } from 'react'
import {
  HaltMarketDocument,
  MarketHistoryDocument,
  MarketsDocument,
  type MarketsQuery,
  ResumeMarketDocument,
} from './gql/graphql.ts'
import { NewAsset, NewMarket } from './NewMarket.tsx'
import { texts } from './texts.ts'

type Market = MarketsQuery['markets'][number]
type Opened = { what: 'asset' | 'market' } | { what: 'phase' | 'history'; market: Market } | undefined

export function Markets() {
  const text = useTexts(texts)
  const { data, refusal, loading, reload } = useAnswer(MarketsDocument, {}, { every: 4000 })
  const [opened, setOpened] = useState<Opened>()
  const close = () => {
    setOpened(undefined)
    reload()
  }
  return (
    <>
      <PageHead title={text.markets}>
        <Button data-testid="new-asset" onClick={() => setOpened({ what: 'asset' })}>
          {text.newAsset}
        </Button>
        <Button type="primary" data-testid="new-market" onClick={() => setOpened({ what: 'market' })}>
          {text.newMarket}
        </Button>
      </PageHead>
      <RefusalNote refusal={refusal} />
      <Table<Market>
        rowKey="symbol"
        size="middle"
        loading={loading && !data}
        dataSource={[...(data?.markets ?? [])]}
        pagination={false}
        scroll={{ x: 'max-content' }}
        onRow={({ symbol, phase }) => ({ 'data-testid': `market-${symbol}`, 'data-phase': phase })}
        columns={[
          { title: text.symbol, dataIndex: 'symbol', render: (symbol: string) => <b>{symbol}</b> },
          {
            title: text.phase,
            dataIndex: 'phase',
            render: (phase: Market['phase']) => (
              <Tag color={phase === 'CONTINUOUS' ? 'success' : 'warning'}>{text[phase]}</Tag>
            ),
          },
          {
            title: text.last,
            align: 'right',
            render: (_, { ticker }) => (ticker.last ? format(ticker.last) : '—'),
          },
          {
            title: text.volume,
            align: 'right',
            render: (_, { ticker, quote }) => `${compact(ticker.quoteVolume)} ${quote.code}`,
          },
          {
            title: text.openOrders,
            dataIndex: 'openOrderCount',
            align: 'right',
            render: (n: number | null) => n ?? '—',
          },
          { title: text.tick, dataIndex: 'tickSize', align: 'right' },
          { title: text.lot, dataIndex: 'lotSize', align: 'right' },
          { title: text.minNotional, dataIndex: 'minNotional', align: 'right' },
          {
            title: text.fees,
            align: 'right',
            render: (_, { makerFeeRate, takerFeeRate }) =>
              `${asPercent(makerFeeRate)} / ${asPercent(takerFeeRate)}`,
          },
          {
            key: 'actions',
            align: 'right',
            render: (_, market) => (
              <Space>
                <Button onClick={() => setOpened({ what: 'history', market })}>{text.history}</Button>
                <Button
                  danger={market.phase === 'CONTINUOUS'}
                  data-testid={market.phase === 'CONTINUOUS' ? 'halt' : 'resume'}
                  onClick={() => setOpened({ what: 'phase', market })}
                >
                  {market.phase === 'CONTINUOUS' ? text.halt : text.resume}
                </Button>
              </Space>
            ),
          },
        ]}
      />
      {opened?.what === 'asset' && <NewAsset onClose={close} />}
      {opened?.what === 'market' && <NewMarket onClose={close} />}
      {opened?.what === 'phase' && <PhaseDialog market={opened.market} onClose={close} />}
      {opened?.what === 'history' && <History symbol={opened.market.symbol} onClose={close} />}
    </>
  )
}

const asPercent = (rate: string) => `${trim(multiply(rate, '100'))}%`

function PhaseDialog({ market, onClose }: { market: Market; onClose(): void }) {
  const text = useTexts(texts)
  const say = useSay()
  const halting = market.phase === 'CONTINUOUS'
  const halt = useCommand(HaltMarketDocument)
  const resume = useCommand(ResumeMarketDocument)
  const [key] = useState(clientKey)
  const open = String(market.openOrderCount ?? 0)
  const { symbol } = market
  return (
    <ReasonDialog
      title={halting ? text.haltTitle(symbol) : text.resumeTitle(symbol)}
      action={halting ? text.halt : text.resume}
      hint={text.auditHint}
      word={symbol}
      danger={halting}
      onClose={onClose}
      onConfirm={async (reason) => {
        const { refusal } = await (halting ? halt : resume).run({
          input: { clientKey: key, market: symbol, reason },
        })
        if (!refusal) say.done(halting ? text.halted(symbol) : text.resumed(symbol))
        return refusal
      }}
    >
      {halting ? text.haltWhat(open) : text.resumeWhat(open)}
    </ReasonDialog>
  )
}

function History({ symbol, onClose }: { symbol: string; onClose(): void }) {
  const text = useTexts(texts)
  const { data, refusal } = useAnswer(MarketHistoryDocument, { symbol })
  const changes = data?.market?.phaseHistory ?? []
  return (
    <Drawer open title={`${symbol} · ${text.history}`} onClose={onClose}>
      <RefusalNote refusal={refusal} />
      {data && changes.length === 0 && <Empty description={text.noHistory} />}
      <Timeline
        items={changes.map((change) => ({
          color: change.phase === 'CONTINUOUS' ? 'green' : 'orange',
          content: (
            <>
              <b>{text[change.phase]}</b> · {change.by}
              <br />
              {change.reason}
              <br />
              <small>
                <Moment at={change.at} />
              </small>
            </>
          ),
        }))}
      />
    </Drawer>
  )
}
