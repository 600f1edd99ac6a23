import { useAnswer } from '@bourse/client'
import { Moment, PageButtons, PageHead, RefusalNote, usePages } from '@bourse/console'
import { format } from '@bourse/decimal'
import { useTexts } from '@bourse/locale'
import { useLinks } from '@bourse/microapp'
import { Input, Table } from 'antd'
import { useDeferredValue, useState } from 'react'
import { DownlineDocument, type DownlineQuery } from './gql/graphql.ts'
import { texts } from './texts.ts'

type Member = DownlineQuery['agent']['downline']['nodes'][number]

export function Downline() {
  const text = useTexts(texts)
  const { link, go } = useLinks()
  const [search, setSearch] = useState('')
  const wanted = useDeferredValue(search.trim())
  const pages = usePages(wanted)
  const { data, refusal, loading } = useAnswer(DownlineDocument, {
    first: 50,
    ...(wanted ? { search: wanted } : {}),
    ...pages.after,
  })
  const downline = data?.agent.downline
  return (
    <>
      <PageHead title={text.members}>
        {data && <span>{text.downline(String(data.agent.downlineCount))}</span>}
        <Input.Search
          allowClear
          placeholder={text.search}
          aria-label={text.search}
          data-testid="search"
          value={search}
          onChange={(e) => setSearch(e.target.value)}
          style={{ width: 240 }}
        />
      </PageHead>
      <RefusalNote refusal={refusal} />
      <Table<Member>
        rowKey="id"
        size="middle"
        loading={loading && !data}
        dataSource={downline?.nodes ?? []}
        pagination={false}
        scroll={{ x: 'max-content' }}
        onRow={(member) => ({
          onClick: () => go(`/member/${member.id}`),
          style: { cursor: 'pointer' },
          'data-testid': 'member-row',
          'data-username': member.username,
        })}
        columns={[
          {
            title: text.username,
            dataIndex: 'username',
            render: (username: string, { id }) => <a {...link(`/member/${id}`)}>{username}</a>,
          },
          { title: text.name, dataIndex: 'displayName' },
          {
            title: text.equity,
            dataIndex: 'equity',
            align: 'right',
            render: (equity: string) => format(equity),
          },
          { title: text.agent, render: (_, { agent }) => agent?.displayName },
          { title: text.registered, dataIndex: 'registeredAt', render: (at: string) => <Moment at={at} /> },
        ]}
      />
      <PageButtons pages={pages} end={downline?.pageInfo} />
    </>
  )
}
