import { useAnswer } from '@bourse/client'
import { Moment, PageButtons, PageHead, RefusalNote, usePages } from '@bourse/console'
import { useTexts } from '@bourse/locale'
import { Input, Table } from 'antd'
import { useDeferredValue, useState } from 'react'
import { MembersDocument, type MembersQuery } from './gql/graphql.ts'
import { texts } from './texts.ts'

type Member = MembersQuery['members']['nodes'][number]

export function Members() {
  const text = useTexts(texts)
  const [search, setSearch] = useState('')
  const wanted = useDeferredValue(search.trim())
  const pages = usePages(wanted)
  const { data, refusal, loading } = useAnswer(MembersDocument, {
    first: 50,
    ...(wanted ? { search: wanted } : {}),
    ...pages.after,
  })
  return (
    <>
      <PageHead title={text.members}>
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
        dataSource={[...(data?.members.nodes ?? [])]}
        pagination={false}
        scroll={{ x: 'max-content' }}
        onRow={({ username }) => ({ 'data-testid': 'member-row', 'data-username': username })}
        columns={[
          { title: text.username, dataIndex: 'username' },
          { title: text.displayName, dataIndex: 'displayName' },
          { title: text.agent, render: (_, { agent }) => agent?.displayName },
          { title: text.registered, dataIndex: 'registeredAt', render: (at: string) => <Moment at={at} /> },
          {
            title: text.lastSignIn,
            dataIndex: 'lastSignInAt',
            render: (at: string | null) => <Moment at={at} />,
          },
        ]}
      />
      <PageButtons pages={pages} end={data?.members.pageInfo} />
    </>
  )
}
