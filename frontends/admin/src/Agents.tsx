import { useAnswer } from '@bourse/client'
import { PageHead, RefusalNote } from '@bourse/console'
import { useTexts } from '@bourse/locale'
import { Table } from 'antd'
import { AgentsDocument, type AgentsQuery } from './gql/graphql.ts'
import { texts } from './texts.ts'

type Agent = AgentsQuery['agents'][number]

export function Agents() {
  const text = useTexts(texts)
  const { data, refusal, loading } = useAnswer(AgentsDocument, {})
  return (
    <>
      <PageHead title={text.agents} />
      <RefusalNote refusal={refusal} />
      <Table<Agent>
        rowKey="id"
        size="middle"
        loading={loading && !data}
        dataSource={[...(data?.agents ?? [])]}
        pagination={{ pageSize: 100, hideOnSinglePage: true }}
        scroll={{ x: 'max-content' }}
        columns={[
          { title: text.username, dataIndex: 'username' },
          { title: text.displayName, dataIndex: 'displayName' },
          { title: text.above, render: (_, { parent }) => parent?.displayName ?? '—' },
          { title: text.memberCount, dataIndex: 'memberCount', align: 'right' },
        ]}
      />
    </>
  )
}
