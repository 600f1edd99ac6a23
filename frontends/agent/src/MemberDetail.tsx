import { useAnswer } from '@bourse/client'
import { Moment, PageHead, RefusalNote } from '@bourse/console'
import { format, tidy } from '@bourse/decimal'
import { useTexts } from '@bourse/locale'
import { useLinks } from '@bourse/microapp'
import { Card, Descriptions, Empty, Flex, Skeleton, Table, Tag } from 'antd'
import { DownlineMemberDocument, type DownlineMemberQuery } from './gql/graphql.ts'
import { texts } from './texts.ts'

type Member = NonNullable<DownlineMemberQuery['downlineMember']>
type Balance = Member['balances'][number]
type Order = Member['orders']['nodes'][number]

export function MemberDetail({ id }: { id: string }) {
  const text = useTexts(texts)
  const { link } = useLinks()
  const { data, refusal, loading } = useAnswer(DownlineMemberDocument, { id }, { every: 5000 })
  const member = data?.downlineMember
  if (loading && !data) return <Skeleton active />
  if (!member) {
    return (
      <>
        <RefusalNote refusal={refusal} />
        {!refusal && <Empty description={text.notThere} />}
        <a {...link('/')}>{text.back}</a>
      </>
    )
  }
  return (
    <Flex vertical gap={16}>
      <PageHead title={member.displayName}>
        <a {...link('/')}>← {text.back}</a>
      </PageHead>
      <RefusalNote refusal={refusal} />
      <Card size="small">
        <Descriptions
          size="small"
          column={{ xs: 1, sm: 2, lg: 4 }}
          items={[
            { key: 'username', label: text.username, children: member.username },
            { key: 'agent', label: text.agent, children: member.agent?.displayName },
            { key: 'registered', label: text.registered, children: <Moment at={member.registeredAt} /> },
            {
              key: 'equity',
              label: text.equity,
              children: <b data-testid="equity">{format(member.equity)}</b>,
            },
          ]}
        />
      </Card>
      <Card size="small" title={text.balances}>
        <Table<Balance>
          rowKey={({ asset }) => asset.code}
          size="small"
          pagination={false}
          dataSource={[...member.balances]}
          columns={[
            { title: text.asset, render: (_, { asset }) => <b>{asset.code}</b> },
            {
              title: text.available,
              dataIndex: 'available',
              align: 'right',
              render: (v: string) => tidy(v),
            },
            { title: text.held, dataIndex: 'held', align: 'right', render: (v: string) => tidy(v) },
            { title: text.total, dataIndex: 'total', align: 'right', render: (v: string) => tidy(v) },
          ]}
        />
      </Card>
      <Card size="small" title={text.orders}>
        <Table<Order>
          rowKey="id"
          size="small"
          pagination={false}
          scroll={{ x: 'max-content' }}
          dataSource={[...member.orders.nodes]}
          columns={[
            { title: text.market, render: (_, { market }) => market.symbol },
            {
              title: text.side,
              dataIndex: 'side',
              render: (side: Order['side']) => (
                <Tag color={side === 'BUY' ? 'green' : 'red'}>{side === 'BUY' ? text.buy : text.sell}</Tag>
              ),
            },
            {
              title: text.type,
              dataIndex: 'type',
              render: (type: Order['type']) => (type === 'LIMIT' ? text.limit : text.marketOrder),
            },
            {
              title: text.price,
              dataIndex: 'price',
              align: 'right',
              render: (v: string | null) => (v ? format(v) : '—'),
            },
            { title: text.quantity, dataIndex: 'quantity', align: 'right', render: (v: string) => format(v) },
            {
              title: text.filled,
              dataIndex: 'filledQuantity',
              align: 'right',
              render: (v: string) => format(v),
            },
            {
              title: text.status,
              dataIndex: 'status',
              render: (status: Order['status']) => text[`status${status}`],
            },
            { title: text.placed, dataIndex: 'placedAt', render: (at: string) => <Moment at={at} /> },
          ]}
        />
      </Card>
    </Flex>
  )
}
